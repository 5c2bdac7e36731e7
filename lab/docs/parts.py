"""Pages that are partly generated: what stands between two marks is renewed, what is around it is written by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def renew(text: str, parts: Mapping[str, Callable[[], str]]) -> str:
    """Return the page with its generated parts renewed.

    A part stands between ``<!-- generated: NAME; ... -->`` and ``<!-- end -->``.

    Raises:
        ValueError: the page has no part of that name.
    """
    for name, part in parts.items():
        head, mark, rest = text.partition(f"<!-- generated: {name};")
        comment, _, old = rest.partition("-->\n")
        _, end, tail = old.partition("<!-- end -->")
        if not (mark and end):
            raise ValueError(f"the page has no part named {name}")
        text = f"{head}{mark}{comment}-->\n{part()}{end}{tail}"
    return text

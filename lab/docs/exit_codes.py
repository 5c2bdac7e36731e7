"""The generated table of ``docs/exit-codes.md``: every error that ``pacslab`` knows, and its exit code."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from typing import TYPE_CHECKING

import lab
from lab.errors import PacslabError

if TYPE_CHECKING:
    from collections.abc import Iterator

_NOT_MODULES_OF_OURS = ("lab.ansible.collections", "lab.docs.__main__")
"""Ansible's own folder layout; and the program that asks for this table."""


def errors_table() -> str:
    """Return the table of errors, by exit code; ``error`` is what ``--json`` prints as such."""
    rows = [
        f"| {kind.exit_code} | `{kind.__name__}` | {_summary(kind)} |"
        for kind in sorted(set(_below(PacslabError)), key=lambda kind: (kind.exit_code, kind.__name__))
    ]
    return "\n".join(["| exit code | error | when |", "| --- | --- | --- |", *rows, ""])


def _below(kind: type[PacslabError]) -> Iterator[type[PacslabError]]:
    _import_all()
    for subclass in kind.__subclasses__():
        if subclass.__module__.startswith("lab."):  # not those that a test defines for itself
            yield subclass
        yield from _below(subclass)


def _import_all() -> None:
    """An error is known once the module that defines it has been imported."""
    for module in pkgutil.walk_packages(lab.__path__, "lab."):
        if not module.name.startswith(_NOT_MODULES_OF_OURS):
            importlib.import_module(module.name)


def _summary(kind: type[PacslabError]) -> str:
    return (inspect.getdoc(kind) or "").splitlines()[0].replace("``", "`")

"""Ways in which a file can be other than it was written: each named, and chosen by a seeded generator."""

from __future__ import annotations

import json
import os
import shutil
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from random import Random

ODD: tuple[Any, ...] = (
    None, True, False, 0, -1, 1e308, 10**30, "", "x", "../../..", "a" * 300, "\0", "\x1b[31m\n", "\ud800", [], [1, 2],
    {}, {"hosts": [1, 2]}, [[]], {"": ""},
)  # fmt: skip
"""Values that a field was not written with."""


def structure(path: Path, random: Random) -> None:
    """One value of a JSON file is another; of a file of lines, one of some line's."""
    text = path.read_bytes().decode("utf-8", "replace")
    lines = text.splitlines(keepends=True) if path.suffix == ".jsonl" else [text]
    at = random.randrange(len(lines))
    try:
        content = json.loads(lines[at])
    except ValueError:
        path.write_text(json.dumps(random.choice(ODD)), "utf-8")
        return
    lines[at] = json.dumps(_changed(content, random)) + "\n"
    path.write_text("".join(lines), "utf-8")


def _changed(content: Any, random: Random) -> Any:
    """The content with one value of it, at any depth, replaced or taken out."""
    inner = content.items() if isinstance(content, dict) else enumerate(content) if isinstance(content, list) else ()
    keys = [key for key, _ in inner]
    if not keys or random.random() < 0.2:
        return random.choice(ODD)
    key, changed = random.choice(keys), content.copy()
    if random.random() < 0.2:
        del changed[key]
    else:
        changed[key] = _changed(content[key], random)
    return changed


def emptied(path: Path, _: Random) -> None:
    """Nothing is left, as after a full disk."""
    path.write_bytes(b"")


def cut(path: Path, random: Random) -> None:
    """It ends in the middle."""
    data = path.read_bytes()
    path.write_bytes(data[: random.randrange(len(data) + 1)])


def flipped(path: Path, random: Random) -> None:
    """Some bytes are others."""
    data = bytearray(path.read_bytes()) or bytearray(1)
    for _ in range(random.randrange(1, 9)):
        data[random.randrange(len(data))] = random.randrange(256)
    path.write_bytes(bytes(data))


def noise(path: Path, random: Random) -> None:
    """It holds something else altogether."""
    path.write_bytes(random.randbytes(random.randrange(1, 4096)))


def nested(path: Path, _: Random) -> None:
    """It is nested more deeply than any reader likes."""
    path.write_bytes(b"[" * 100_000)


def other(path: Path, random: Random) -> None:
    """It is a well-formed file of another kind."""
    path.write_text(random.choice(("null\n", "1\n", '"text"\n', "- a\n- b\n", "a: &a [*a]\n", "<x/>\n")), "utf-8")


def gone(path: Path, _: Random) -> None:
    """It is not there."""
    path.unlink()


def folder(path: Path, _: Random) -> None:
    """A folder has its name."""
    path.unlink()
    path.mkdir()


def pipe(path: Path, _: Random) -> None:
    """A pipe that nobody writes into has its name."""
    path.unlink()
    os.mkfifo(path)


def loop(path: Path, _: Random) -> None:
    """It is a link to itself."""
    path.unlink()
    path.symlink_to(path.name)


def parent(path: Path, _: Random) -> None:
    """A file has the name of its folder."""
    shutil.rmtree(path.parent)
    path.parent.write_bytes(b"")


WAYS: tuple[Callable[[Path, Random], None], ...] = (
    structure, structure, structure, structure, emptied, cut, flipped, noise, nested, other, gone, folder, pipe, loop,
    parent,
)  # fmt: skip
"""All of them; what a person's editor does most often stands there more than once."""

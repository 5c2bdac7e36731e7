"""Files that pacslab keeps for itself, read back: of the type they are to hold, or damaged with a sentence why."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING, Annotated, TypeVar

import msgspec

from lab.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

T = TypeVar("T")
Moment = Annotated[float, msgspec.Meta(ge=0, lt=1 << 33)]
"""Seconds since 1970, up to a year that a calendar has."""


class DamagedFileError(UsageError):
    """A file that pacslab keeps does not hold what it wrote there: a full disk cut it off, or somebody edited it."""

    def __init__(self, path: Path, why: str, *, remedy: str) -> None:
        """Name the file, and the first thing in it that is not as written."""
        super().__init__(f"{path} is damaged: {why}.", remedy=remedy)


def read_bytes(path: Path, *, remedy: str) -> bytes:
    """The content of a regular file; anything else of that name, such as a pipe, is not waited for.

    Raises:
        FileNotFoundError: there is none.
        DamagedFileError: it is no file, or cannot be read.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise DamagedFileError(path, "it is no regular file", remedy=remedy)
        return path.read_bytes()
    except FileNotFoundError:
        raise
    except OSError as error:
        raise DamagedFileError(path, error.strerror or str(error), remedy=remedy) from error


def read_text(path: Path, *, remedy: str) -> str:
    """The content of a regular file of UTF-8.

    Raises:
        FileNotFoundError: there is none.
        DamagedFileError: it is no file of text.
    """
    try:
        return read_bytes(path, remedy=remedy).decode("utf-8")
    except UnicodeDecodeError as error:
        raise DamagedFileError(path, str(error), remedy=remedy) from error


def read_json(path: Path, kind: type[T], *, remedy: str) -> T:
    """A JSON file as a value of a type, such as a dataclass: every field is of the type that it is declared with.

    Raises:
        FileNotFoundError: there is none.
        DamagedFileError: it is no JSON, or JSON of another form.
    """
    return parse_json(path, read_bytes(path, remedy=remedy), kind, remedy=remedy)


def parse_json(path: Path, content: bytes, kind: type[T], *, remedy: str) -> T:
    """The same of bytes that were read from a file already, such as one of its lines.

    Raises:
        DamagedFileError: they are no JSON, or JSON of another form.
    """
    try:
        return msgspec.json.decode(content, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise DamagedFileError(path, str(error), remedy=remedy) from error

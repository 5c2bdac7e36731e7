"""Standard input, output and error of the command: there, writable in any text, and told of when they are not."""

from __future__ import annotations

import errno
import io
import os
import sys
from typing import TextIO, TypeVar

from lab.errors import PacslabError, UsageError
from lab.printable import printable

W = TypeVar("W", bound=io.TextIOWrapper)


class OutputError(PacslabError):
    """Standard output takes no more: what a verb found out could not be told."""

    exit_code = 5

    def __init__(self, error: OSError) -> None:
        """Say why."""
        super().__init__(
            f"Standard output cannot be written: {error.strerror or error}.",
            remedy="Send it to a file on a disk with space, and run the same again.",
        )


class _Output(io.TextIOWrapper):
    """Standard output: its text never acts on a terminal, and its failures are errors of ours.

    A reader that left is no error (``BrokenPipeError``). What is passed through from a host goes past this.
    """

    def write(self, text: str, /) -> int:
        try:
            return super().write(printable(text))
        except BrokenPipeError:
            raise
        except OSError as error:
            raise OutputError(error) from error

    def flush(self) -> None:
        try:
            super().flush()
        except BrokenPipeError:
            raise
        except OSError as error:
            raise OutputError(error) from error


class _Remarks(io.TextIOWrapper):
    """Standard error: work does not end because nobody can be told how far it is."""

    def write(self, text: str, /) -> int:
        try:
            return super().write(text)
        except OSError:
            return len(text)

    def flush(self) -> None:
        try:
            super().flush()
        except OSError:
            silence(2)


def prepare() -> None:
    """Make the process's own streams usable; those that a caller has put in their place are left alone.

    A closed one is replaced by ``/dev/null``: a file that is opened later would become it. Names that are no UTF-8,
    and signs that the terminal's encoding lacks, are written as escapes.

    Raises:
        UsageError: standard output is closed, so that no result could be told.
    """
    closed = [number for number in range(3) if _is_closed(number)]
    for _ in closed:
        os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free
    if sys.stdin is None:
        sys.stdin = open(0, encoding="utf-8")  # noqa: SIM115 # the process's own, for as long as it runs
    if sys.stderr is None or sys.stderr is sys.__stderr__:
        sys.stderr = _wrapped(_Remarks, sys.stderr, 2, line_buffering=True)
    if sys.stdout is None or sys.stdout is sys.__stdout__:
        sys.stdout = _wrapped(_Output, sys.stdout, 1, line_buffering=os.isatty(1))
    if 1 in closed:
        raise UsageError(
            "Standard output is closed, so no result could be told; nothing was done.",
            remedy="Send it to /dev/null where it is not wanted: '>/dev/null'.",
        )


def write_through(data: bytes, number: int) -> None:
    """Write bytes as they are to standard output (1) or error (2), at once.

    Raises:
        OutputError: standard output takes no more.
    """
    stream = sys.stderr if number == 2 else sys.stdout  # noqa: PLR2004 # its number
    try:
        stream.buffer.write(data)
        stream.buffer.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        if stream is sys.stdout:
            raise OutputError(error) from error


def silence(number: int) -> None:
    """Have what is still to be written there, when the process ends, go nowhere."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, number)
    os.close(nowhere)


def _is_closed(number: int) -> bool:
    try:
        os.fstat(number)
    except OSError as error:
        return error.errno == errno.EBADF
    return False


def _wrapped(kind: type[W], stream: TextIO | None, number: int, *, line_buffering: bool) -> W:
    """A stream of text over what is below the present one, or over the file of this number where there is none."""
    encoding = (stream.encoding if stream is not None else None) or "utf-8"
    binary = stream.detach() if isinstance(stream, io.TextIOWrapper) else open(number, "wb")  # noqa: SIM115 # as above
    return kind(binary, encoding=encoding, errors="backslashreplace", line_buffering=line_buffering)

"""Joins this process's input, output and terminal to a command on a host."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import termios
import threading
import tty
from contextlib import contextmanager
from typing import TYPE_CHECKING

from lab.cli.streams import write_through
from lab.engine.execute import STDERR

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.engine.execute import Stream

_CHUNK = 65536


def pass_through(stream: Stream) -> int:
    """Pass everything in both directions until the command ends; the result is its exit code."""
    threading.Thread(target=_feed, args=(stream,), daemon=True).start()
    try:
        with _raw_terminal(stream) if stream.tty else _plain():
            for kind, data in stream.frames():
                write_through(data, 2 if kind == STDERR else 1)
        return stream.code()
    finally:
        stream.close()


def _feed(stream: Stream) -> None:
    try:
        while data := os.read(sys.stdin.fileno(), _CHUNK):
            stream.send(data)
        stream.end_input()
    except OSError:
        return  # the command ended, or there is no input to read: its own end is what is waited for


@contextmanager
def _plain() -> Iterator[None]:
    yield


@contextmanager
def _raw_terminal(stream: Stream) -> Iterator[None]:
    """Hand every key to the command, and its terminal our size, until it ends."""

    def fit(*_: object) -> None:
        columns, rows = shutil.get_terminal_size()
        stream.resize(rows, columns)

    keyboard = sys.stdin.fileno()
    before = termios.tcgetattr(keyboard)
    previous = signal.signal(signal.SIGWINCH, fit)
    tty.setraw(keyboard)
    try:
        fit()
        yield
    finally:
        termios.tcsetattr(keyboard, termios.TCSADRAIN, before)
        signal.signal(signal.SIGWINCH, previous)

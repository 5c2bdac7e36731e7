"""Frames are found however they come; what is none is told with what was whole before it."""

from __future__ import annotations

import pytest

from simulators.siem.intake.frames import FrameError, Frames
from tests.unit.simulators.siem.repository import framed

MESSAGES = [b"a", b"two words", b"12 34", b"x" * 300, b"\n\0\xff"]


@pytest.mark.parametrize("size", [1, 2, 3, 5, 64, 10_000])
def test_frames_are_found_however_they_are_cut(size: int) -> None:
    data, frames = framed(*MESSAGES), Frames()
    found = [message for place in range(0, len(data), size) for message in frames.feed(data[place : place + size])]
    assert (found, frames.rest) == (MESSAGES, b"")


@pytest.mark.parametrize(
    "octets", [b"x", b"01 a", b"0 a", b" a", b"+1 a", b"1a b", b"100000 a", b"65537 a", b"123456", b"\xb2 a"]
)
def test_what_is_no_length_is_told_with_what_was_before_it(octets: bytes) -> None:
    frames = Frames()
    with pytest.raises(FrameError) as caught:
        frames.feed(framed(b"good") + octets)
    assert (caught.value.before, frames.rest) == ([b"good"], octets)


def test_the_longest_message_is_taken() -> None:
    assert Frames(longest=10).feed(b"10 " + b"x" * 10) == [b"x" * 10]
    with pytest.raises(FrameError):
        Frames(longest=10).feed(b"11 ")

"""Numbers on the command line have bounds, which are told."""

from __future__ import annotations

import argparse

import pytest

from lab.cli import numbers


@pytest.mark.parametrize("text", ["-5", "0", "nan", "inf", "1e309", "", "x", "9" * 5000])
def test_what_is_no_time_to_wait_is_refused(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError):
        numbers.seconds(text)


@pytest.mark.parametrize("text", ["0", "65536", "99999", "-1", "²", "1.5"])
def test_what_is_no_port_is_refused(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError):
        numbers.port(text)


@pytest.mark.parametrize("text", ["0", "-3", "1e3", str(1 << 40)])
def test_what_is_no_count_is_refused(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError):
        numbers.count(text)


def test_numbers_within_their_bounds_are_taken() -> None:
    assert (numbers.seconds("0.5"), numbers.port("65535"), numbers.count("1")) == (0.5, 65535, 1)

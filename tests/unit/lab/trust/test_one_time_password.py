"""One-time passwords are those of RFC 6238."""

from __future__ import annotations

from base64 import b32encode

import pytest

from lab.trust.one_time_password import one_time_password

SEED = b32encode(b"12345678901234567890").decode()


@pytest.mark.parametrize(
    ("at", "code"),
    [(59, "287082"), (1111111109, "081804"), (1111111111, "050471"), (1234567890, "005924"), (2000000000, "279037")],
)
def test_codes_are_the_last_six_digits_of_rfc_6238_appendix_b(at: int, code: str) -> None:
    assert one_time_password(SEED, at).code == code


def test_a_code_says_how_long_it_is_current() -> None:
    assert [one_time_password(SEED, at).seconds_left for at in (60, 60.9, 89, 90)] == [30, 30, 1, 30]
    assert one_time_password(SEED, 89).code == one_time_password(SEED, 60).code != one_time_password(SEED, 90).code

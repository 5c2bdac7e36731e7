"""One-time passwords that follow from a seed and the time (RFC 6238), as authenticator apps show them."""

from __future__ import annotations

import hmac
from base64 import b32decode
from dataclasses import dataclass

PERIOD = 30
DIGITS = 6


@dataclass(frozen=True)
class OneTimePassword:
    """A code, and for how many seconds it is still the current one."""

    code: str
    seconds_left: int


def one_time_password(seed: str, at: float) -> OneTimePassword:
    """Return the one-time password of a seed in base32 at a time, in seconds since 1970.

    >>> one_time_password("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", 59).code
    '287082'
    """
    step, into = divmod(int(at), PERIOD)
    digest = hmac.digest(b32decode(seed), step.to_bytes(8, "big"), "sha1")
    offset = digest[-1] & 0xF  # RFC 4226 5.3: the last four bits say where the 31 bits are taken from
    number = int.from_bytes(digest[offset : offset + 4], "big") & 0x7FFFFFFF
    return OneTimePassword(f"{number % 10**DIGITS:0{DIGITS}}", PERIOD - into)

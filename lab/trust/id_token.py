"""An ID token as its reader judges it: signed by the sign-on, for this reader, this person and this very sign-in."""

from __future__ import annotations

import base64
import json
import time
from typing import TYPE_CHECKING, Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers
from cryptography.hazmat.primitives.hashes import SHA256

from lab.trust.files import TrustError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

SECOND_FACTOR = "https://refeds.org/profile/mfa"
"""The ``acr`` that says that both factors were shown."""
ALGORITHM = "RS256"
LEAST_BITS = 2048
SKEW = 60.0
"""Seconds by which two clocks may differ."""
_READ = "Read the sign-on's log: 'pacslab people' says which host it is."


class TokenError(TrustError):
    """An ID token does not say what it would have to."""

    exit_code = 1

    def __init__(self, why: str) -> None:
        """Name what is wrong with it."""
        super().__init__(f"What the sign-on states cannot be believed: {why}.", remedy=_READ)


def verify(token: str, keys: Mapping[str, Any], wanted: Mapping[str, str], now: float | None = None) -> None:
    """Judge a token (OpenID Connect Core 1.0, 3.1.3.7; RFC 7515).

    Args:
        token: as the sign-on gave it.
        keys: the sign-on's (RFC 7517 5).
        wanted: what it has to say: ``iss``, ``aud``, ``sub`` and ``nonce``.
        now: seconds since 1970; by default the time.

    Raises:
        TokenError: it is signed by somebody else, for another, for another sign-in, or not in time; or only one factor
            was shown.
    """
    try:
        signed, _, signature = token.rpartition(".")
        head, body = (json.loads(_octets(part)) for part in signed.split("."))
        if head["alg"] != ALGORITHM:
            raise TokenError(f"it is signed with {head['alg']}")
        _key(keys, head.get("kid")).verify(_octets(signature), signed.encode(), PKCS1v15(), SHA256())
        audience = body["aud"] if isinstance(body["aud"], list) else [body["aud"]]
        said = {"iss": body["iss"], "sub": body["sub"], "nonce": body["nonce"]}
        ends, acr = float(body["exp"]), body.get("acr")
    except InvalidSignature:
        raise TokenError("its signature is not the sign-on's") from None
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise TokenError("it cannot be read") from error
    if audience != [wanted["aud"]] or any(said[name] != wanted[name] for name in said):
        raise TokenError("it is not for this person, this host and this sign-in")
    if ends <= (time.time() if now is None else now) - SKEW:
        raise TokenError("it has expired")
    if acr != SECOND_FACTOR:
        raise TokenError("it does not say that a second factor was shown")


def _key(keys: Mapping[str, Any], number: str | None) -> RSAPublicKey:
    for key in keys["keys"]:
        if key.get("kid") == number and key["kty"] == "RSA":
            found = RSAPublicNumbers(_number(key["e"]), _number(key["n"])).public_key()
            if found.key_size < LEAST_BITS:
                raise TokenError(f"its key has {found.key_size} bits")
            return found
    raise TokenError("it is signed with a key that the sign-on does not state")


def _number(text: str) -> int:
    return int.from_bytes(_octets(text))


def _octets(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)

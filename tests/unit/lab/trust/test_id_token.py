"""An ID token is believed when the sign-on signed it for this very sign-in, and never otherwise."""

from __future__ import annotations

import base64
import json
from functools import cache
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256

from lab.trust.id_token import SECOND_FACTOR, TokenError, verify

NOW = 1_800_000_000.0
WANTED = {"iss": "https://idp1.x", "aud": "adm1", "sub": "p.adeyemi", "nonce": "n1"}
SAID = {**WANTED, "exp": NOW + 300, "acr": SECOND_FACTOR}
HEAD = {"alg": "RS256", "kid": "k1"}


@cache
def key(bits: int = 2048, number: int = 0) -> rsa.RSAPrivateKey:
    del number
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


def text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def keys(owner: rsa.RSAPrivateKey, name: str = "k1") -> dict[str, Any]:
    numbers = owner.public_key().public_numbers()
    octets = [text(value.to_bytes((value.bit_length() + 7) // 8)) for value in (numbers.n, numbers.e)]
    return {"keys": [{"kty": "EC", "kid": "other"}, {"kty": "RSA", "kid": name, "n": octets[0], "e": octets[1]}]}


def token(said: dict[str, Any], head: dict[str, Any] | None = None, owner: rsa.RSAPrivateKey | None = None) -> str:
    signed = ".".join(text(json.dumps(part).encode()) for part in (head or HEAD, said))
    return f"{signed}.{text((owner or key()).sign(signed.encode(), PKCS1v15(), SHA256()))}"


def test_what_the_sign_on_signed_for_this_is_believed() -> None:
    verify(token(SAID), keys(key()), WANTED, NOW)
    verify(token({**SAID, "aud": ["adm1"]}), keys(key()), WANTED, NOW)


@pytest.mark.parametrize(
    ("otherwise", "why"),
    [
        ({"iss": "https://idp2.x"}, "not for this person"),
        ({"aud": "web1"}, "not for this person"),
        ({"aud": ["adm1", "web1"]}, "not for this person"),
        ({"sub": "a.rivera"}, "not for this person"),
        ({"nonce": "n0"}, "not for this person"),
        ({"exp": NOW - 61}, "expired"),
        ({"acr": "loa-2"}, "second factor"),
        ({"acr": None}, "second factor"),
        ({"exp": "soon"}, "cannot be read"),
    ],
    ids=str,
)
def test_what_it_says_otherwise_is_not(otherwise: dict[str, Any], why: str) -> None:
    with pytest.raises(TokenError, match=why):
        verify(token({**SAID, **otherwise}), keys(key()), WANTED, NOW)


def test_a_strangers_signature_is_told() -> None:
    with pytest.raises(TokenError, match="signature"):
        verify(token(SAID, owner=key(number=1)), keys(key()), WANTED, NOW)
    with pytest.raises(TokenError, match="does not state"):
        verify(token(SAID), keys(key(), "k2"), WANTED, NOW)
    with pytest.raises(TokenError, match="1024 bits"):
        verify(token(SAID, owner=key(1024)), keys(key(1024)), WANTED, NOW)


@pytest.mark.parametrize("head", [{"alg": "none", "kid": "k1"}, {"alg": "HS256", "kid": "k1"}], ids=str)
def test_another_algorithm_is_not_taken(head: dict[str, Any]) -> None:
    with pytest.raises(TokenError, match="signed with"):
        verify(token(SAID, head), keys(key()), WANTED, NOW)


@pytest.mark.parametrize("spoilt", ["", "a", "a.b", "a.b.c", "e30.e30.", "....", "e30.e30.e30"])
def test_what_is_no_token_cannot_be_read(spoilt: str) -> None:
    with pytest.raises(TokenError):
        verify(spoilt, keys(key()), WANTED, NOW)


def test_a_claim_that_is_changed_spoils_the_signature() -> None:
    head, _, signature = token({**SAID, "sub": "a.rivera"}).split(".")
    body = text(json.dumps(SAID).encode())
    with pytest.raises(TokenError, match="signature"):
        verify(f"{head}.{body}.{signature}", keys(key()), WANTED, NOW)

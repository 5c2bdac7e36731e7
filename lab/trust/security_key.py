"""Security keys that the lab makes for its people: what an authenticator holds, and what the sign-on knows of it.

A credential of WebAuthn is a key on P-256 with a number of its own; the sign-on is given the number and the public half
(COSE, RFC 9052 7), and the private one stays with the lab, for a virtual authenticator in a browser.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from lab.trust.files import TrustError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lab.topology.site import Site

KIND: Final = "security-key"
SIZE = 32
"""Octets of a coordinate on P-256 (SEC 1)."""
_HEAD = bytes.fromhex("a5 01 02 03 26 20 01 21 58 20")
"""A map of five: kty EC2, alg ES256, crv P-256, and x of 32 octets follows (RFC 9053 7.1.1)."""
_THEN = bytes.fromhex("22 58 20")
"""And y of 32 octets."""


@dataclass(frozen=True)
class Credential:
    """A security key.

    Attributes:
        number: its credential id, base64url.
        public: its public half in COSE, base64url.
        private: its private half in PKCS #8, base64.
    """

    number: str
    public: str
    private: str = field(repr=False)


def credential(secret: str) -> Credential:
    """What a secret of the lab's is as a credential; the same each time.

    Raises:
        TrustError: it is no key on P-256.
    """
    key = load_pem_private_key(secret.encode(), password=None)
    if not isinstance(key, EllipticCurvePrivateKey) or key.curve.name != "secp256r1":
        raise TrustError(
            "A security key is no key on P-256.", remedy="Remove it from secrets.json; 'pacslab up' makes it."
        )
    point = key.public_key().public_numbers()
    cose = _HEAD + point.x.to_bytes(SIZE) + _THEN + point.y.to_bytes(SIZE)
    private = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    return Credential(_url(sha256(cose).digest()), _url(cose), base64.b64encode(private).decode())


def public_halves(site: Site, kept: Mapping[str, Mapping[str, str]]) -> dict[str, dict[str, str]]:
    """For each person with a security key, what the sign-on is given of it.

    Args:
        site: the site.
        kept: the lab's secrets, by name and person.
    """
    declared = [
        name for meta in site.catalog.values() for name, entry in meta.secrets_of_people.items() if entry.kind == KIND
    ]
    found = {person: credential(secret) for name in declared for person, secret in kept.get(name, {}).items()}
    return {person: {"credential": key.number, "public_key": key.public} for person, key in found.items()}


def _url(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()

"""What the lab has as a security key is the same credential each time, and the sign-on is given no private half."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_private_key

from lab.trust.files import TrustError, key_pem
from lab.trust.secrets import ensure_secrets
from lab.trust.security_key import credential, public_halves
from lab.trust.variables import trust_variables
from tests.unit.lab.trust.test_secrets import site_with_people

if TYPE_CHECKING:
    from pathlib import Path


def octets(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def test_the_halves_belong_together_and_the_public_one_is_cose() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    found = credential(key_pem(key).decode())
    assert credential(key_pem(key).decode()) == found
    private = load_der_private_key(base64.b64decode(found.private), password=None)
    assert isinstance(private, ec.EllipticCurvePrivateKey)
    point = private.public_key().public_numbers()
    assert point == key.public_key().public_numbers()
    cose = octets(found.public)
    assert len(cose) == 77
    # {1: 2, 3: -7, -1: 1, -2: x, -3: y} in CBOR, written out (RFC 9053 7.1.1, example of RFC 9052 C.7)
    head = bytes([0xA5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20])
    assert cose == head + point.x.to_bytes(32) + bytes([0x22, 0x58, 0x20]) + point.y.to_bytes(32)
    assert len(octets(found.number)) == 32
    assert found.private not in repr(found)


def test_two_keys_have_two_numbers() -> None:
    numbers = {credential(key_pem(ec.generate_private_key(ec.SECP256R1())).decode()).number for _ in range(2)}
    assert len(numbers) == 2


def test_another_kind_of_key_is_none() -> None:
    with pytest.raises(TrustError, match="no key on P-256"):
        credential(key_pem(ec.generate_private_key(ec.SECP384R1())).decode())


def test_roles_are_given_public_halves_of_who_has_a_key(tmp_path: Path) -> None:
    site = site_with_people()
    found = public_halves(site, ensure_secrets(site, tmp_path))
    assert list(found) == ["ben"]
    assert found["ben"].keys() == {"credential", "public_key"}
    assert trust_variables(site, tmp_path)["trust_security_keys"] == found

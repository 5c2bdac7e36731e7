"""A statement that a trial makes is what a partner's sign-on would state, but for what the trial is about."""

from __future__ import annotations

import base64
import re
import zlib
from dataclasses import replace
from hashlib import sha256
from urllib.parse import urlencode
from xml.etree import ElementTree as ET

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from lab.abuse.failure import AttemptError
from lab.abuse.statement import DSIG, NAMES, Stating, question_in

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PEM = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
GOOD = Stating("https://here.example", "https://home.example", "_0123456789abcdef", "eva", PEM)
SIGNATURE = re.compile(r"<ds:Signature .*</ds:Signature>", re.DOTALL)


def text_of(stating: Stating, alter: dict[str, str] | None = None) -> str:
    form = stating.form(alter)
    assert form.action == "https://here.example/saml/proxySingleSignOnPost"
    return base64.b64decode(form.fields["SAMLResponse"]).decode()


def verified(text: str) -> bool:
    """Whether the statement is signed with the key as a whole, judged from the text alone (XML Signature 1.1, 3.2)."""
    (assertion,) = re.findall(r"<saml:Assertion .*</saml:Assertion>", text, re.DOTALL)
    (signature,) = SIGNATURE.findall(assertion)
    (signed,) = re.findall(r"<ds:SignedInfo .*</ds:SignedInfo>", signature, re.DOTALL)
    (digest,) = re.findall(r"<ds:DigestValue>(.*?)</ds:DigestValue>", signed)
    (value,) = re.findall(r"<ds:SignatureValue>(.*?)</ds:SignatureValue>", signature)
    whole = ET.canonicalize(SIGNATURE.sub("", assertion)).encode()
    try:
        KEY.public_key().verify(base64.b64decode(value), signed.encode(), padding.PKCS1v15(), hashes.SHA256())
    except InvalidSignature:
        return False
    return base64.b64decode(digest) == sha256(whole).digest()


def test_a_good_statement_is_signed_as_a_whole_and_says_for_whom_and_what_it_answers() -> None:
    text = text_of(GOOD)
    assert verified(text)
    names = {"saml": f"{NAMES}:assertion", "samlp": f"{NAMES}:protocol", "ds": DSIG}
    said = ET.fromstring(text)  # noqa: S314 # our own
    confirmed = said.find(".//saml:SubjectConfirmationData", names)
    assert confirmed is not None
    assert {said.attrib["InResponseTo"], confirmed.attrib["InResponseTo"]} == {GOOD.question}
    assert {said.attrib["Destination"], confirmed.attrib["Recipient"]} == {GOOD.consumer}
    assert said.findtext(".//saml:Audience", namespaces=names) == "https://here.example/saml/metadata"
    assert said.findtext(".//saml:NameID", namespaces=names) == "eva"


def test_what_is_altered_or_signed_by_a_stranger_is_not_signed_by_the_partner() -> None:
    assert not verified(text_of(GOOD, {">eva<": ">ben<"}))
    assert ">ben<" in text_of(GOOD, {">eva<": ">ben<"})
    assert not verified(text_of(GOOD.with_foreign_key()))
    assert not SIGNATURE.search(text_of(replace(GOOD, key="")))


def test_what_is_for_others_is_signed_all_the_same() -> None:
    text = text_of(replace(GOOD, audience="https://other.example/metadata"))
    assert verified(text)
    assert "https://here.example/saml/metadata" not in text


def test_a_text_that_is_not_there_cannot_be_altered() -> None:
    with pytest.raises(AttemptError, match="does not say"):
        GOOD.form({"nobody": "eva"})


def test_the_question_is_read_from_where_a_browser_is_sent() -> None:
    request = f'<samlp:AuthnRequest xmlns:samlp="{NAMES}:protocol" ID="_42"/>'
    packed = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    sent = base64.b64encode(packed.compress(request.encode()) + packed.flush()).decode()
    assert question_in(f"https://home.example/saml/singleSignOn?{urlencode({'SAMLRequest': sent})}") == "_42"


@pytest.mark.parametrize("address", ["", "https://home.example/", "https://home.example/?SAMLRequest=eA%3D%3D"])
def test_who_is_sent_nowhere_has_no_question(address: str) -> None:
    with pytest.raises(AttemptError, match="sends nobody"):
        question_in(address)

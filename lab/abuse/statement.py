"""Statements of a partner's sign-on, made in its place with its own key, or with less: SAML 2.0 Core 2 and 3.3.3."""

from __future__ import annotations

import base64
import secrets
import zlib
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit
from xml.etree import ElementTree as ET

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from lab.abuse.failure import AttemptError
from lab.hospital.sign_on import Statement

if TYPE_CHECKING:
    from collections.abc import Mapping

NAMES = "urn:oasis:names:tc:SAML:2.0"
DSIG = "http://www.w3.org/2000/09/xmldsig#"
EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#"
RSA_SHA256 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
SHA256 = "http://www.w3.org/2001/04/xmlenc#sha256"
BOTH_FACTORS = "https://refeds.org/profile/mfa"
PASSWORD = f"{NAMES}:ac:classes:PasswordProtectedTransport"
GOOD_FOR = timedelta(seconds=60)


def question_in(address: str) -> str:
    """The number of the question with which a browser is sent to a partner's sign-on (SAML 2.0 Bindings 3.4.4.1).

    Raises:
        AttemptError: the address has none.
    """
    sent = parse_qs(urlsplit(address).query).get("SAMLRequest", [""])[0]
    try:
        request = ET.fromstring(zlib.decompress(base64.b64decode(sent), -zlib.MAX_WBITS))  # noqa: S314 # the lab's own
        return request.attrib["ID"]
    except (ValueError, KeyError, zlib.error, ET.ParseError) as error:
        raise AttemptError(
            f"The sign-on sends nobody to a partner's: {address[:200]!r}", remedy="See the sign-on's log."
        ) from error


@dataclass(frozen=True)
class Stating:
    """What is stated, and with which key it is signed.

    Attributes:
        here: The address of the sign-on that asked.
        partner: That of the partner's sign-on.
        question: The number of the question.
        name: Who the person is at home.
        key: What signs it, in PEM; nothing for an unsigned statement.
        audience: For whom it is; for the sign-on that asked where nothing is said.
        factors: How the person has signed in (SAML 2.0 Authentication Context).
        number: Of the statement.
    """

    here: str
    partner: str
    question: str
    name: str
    key: str
    audience: str = ""
    factors: str = BOTH_FACTORS
    number: str = field(default_factory=lambda: f"_{secrets.token_hex(16)}")

    @property
    def consumer(self) -> str:
        """Where it is brought."""
        return f"{self.here}/saml/proxySingleSignOnPost"

    def form(self, alter: Mapping[str, str] | None = None) -> Statement:
        """The form that brings it; texts that are altered are altered after it was signed."""
        text = self._response()
        for old, new in (alter or {}).items():
            if old not in text:
                raise AttemptError(f"The statement does not say {old!r}.", remedy="Fit the case.")
            text = text.replace(old, new)
        return Statement(action=self.consumer, fields={"SAMLResponse": base64.b64encode(text.encode()).decode()})

    def with_foreign_key(self) -> Stating:
        """The same, signed by a key that nobody knows."""
        key = rsa.generate_private_key(public_exponent=65537, key_size=3072)
        return replace(self, key=_pem(key))

    def _response(self) -> str:
        now = datetime.now(UTC)
        assertion = self._assertion(now)
        if self.key:
            issuer, _, rest = assertion.partition("</saml:Issuer>")
            assertion = f"{issuer}</saml:Issuer>{self._signature(assertion)}{rest}"
        return (
            f'<samlp:Response xmlns:samlp="{NAMES}:protocol" xmlns:saml="{NAMES}:assertion"'
            f' Destination="{self.consumer}" ID="_{secrets.token_hex(16)}" InResponseTo="{self.question}"'
            f' IssueInstant="{_at(now)}" Version="2.0">'
            f"<saml:Issuer>{self.partner}/saml/metadata</saml:Issuer>"
            f'<samlp:Status><samlp:StatusCode Value="{NAMES}:status:Success"/></samlp:Status>'
            f"{assertion}</samlp:Response>"
        )

    def _assertion(self, now: datetime) -> str:
        """The statement in canonical form (exclusive, which for this text Canonical XML 2.0 is the same as)."""
        until = _at(now + GOOD_FOR)
        return _canonical(
            f'<saml:Assertion xmlns:saml="{NAMES}:assertion" ID="{self.number}" IssueInstant="{_at(now)}"'
            ' Version="2.0">'
            f"<saml:Issuer>{self.partner}/saml/metadata</saml:Issuer>"
            f'<saml:Subject><saml:NameID Format="{NAMES.replace("2.0", "1.1")}:nameid-format:unspecified">{self.name}'
            f'</saml:NameID><saml:SubjectConfirmation Method="{NAMES}:cm:bearer"><saml:SubjectConfirmationData'
            f' InResponseTo="{self.question}" NotOnOrAfter="{until}" Recipient="{self.consumer}"/>'
            "</saml:SubjectConfirmation></saml:Subject>"
            f'<saml:Conditions NotBefore="{_at(now - GOOD_FOR)}" NotOnOrAfter="{until}"><saml:AudienceRestriction>'
            f"<saml:Audience>{self.audience or f'{self.here}/saml/metadata'}</saml:Audience>"
            "</saml:AudienceRestriction></saml:Conditions>"
            f'<saml:AuthnStatement AuthnInstant="{_at(now)}" SessionIndex="{self.number}"><saml:AuthnContext>'
            f"<saml:AuthnContextClassRef>{self.factors}</saml:AuthnContextClassRef>"
            "</saml:AuthnContext></saml:AuthnStatement></saml:Assertion>"
        )

    def _signature(self, assertion: str) -> str:
        """An enveloped signature over the statement (XML Signature 1.1, SAML 2.0 Core 5.4)."""
        digest = base64.b64encode(sha256(assertion.encode()).digest()).decode()
        signed = _canonical(
            f'<ds:SignedInfo xmlns:ds="{DSIG}"><ds:CanonicalizationMethod Algorithm="{EXCLUSIVE}"/>'
            f'<ds:SignatureMethod Algorithm="{RSA_SHA256}"/><ds:Reference URI="#{self.number}"><ds:Transforms>'
            f'<ds:Transform Algorithm="{DSIG}enveloped-signature"/><ds:Transform Algorithm="{EXCLUSIVE}"/>'
            f'</ds:Transforms><ds:DigestMethod Algorithm="{SHA256}"/><ds:DigestValue>{digest}</ds:DigestValue>'
            "</ds:Reference></ds:SignedInfo>"
        )
        key = load_pem_private_key(self.key.encode(), password=None)
        if not isinstance(key, rsa.RSAPrivateKey):
            raise AttemptError("The partner's key is no RSA key.", remedy="Fit the case.")
        value = base64.b64encode(key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())).decode()
        return f'<ds:Signature xmlns:ds="{DSIG}">{signed}<ds:SignatureValue>{value}</ds:SignatureValue></ds:Signature>'


def _canonical(text: str) -> str:
    return ET.canonicalize(text)


def _at(time: datetime) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")


def _pem(key: rsa.RSAPrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()

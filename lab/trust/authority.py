"""A certificate authority: its key, its certificate, and what it signs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import AuthorityInformationAccessOID, NameOID

from lab.trust.index import REASONS
from lab.trust.profiles import CLOCK_SKEW, LEAF_LIFETIME, OCSP_SIGNING, USAGES

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime, timedelta

    from lab.trust.index import Entry


def new_key() -> ec.EllipticCurvePrivateKey:
    """Return a new key on P-256, which TLS 1.2 and 1.3 peers of the imaging world all know (RFC 9325 4.5)."""
    return ec.generate_private_key(ec.SECP256R1())


@dataclass(frozen=True)
class Wanted:
    """What a leaf certificate shall say.

    ``usages`` are extended key usages by the names of RFC 5280 4.2.1.12.
    ``organization`` has at most 64 characters (RFC 5280 A.1, ub-organization-name).
    ``names`` are the DNS names that it proves, the host's own among them.
    ``status_url`` is where ``/ocsp`` and ``/issuing.crl`` are served, or None in a site that publishes no status.
    """

    fqdn: str
    profile: str
    usages: tuple[str, ...]
    organization: str
    status_url: str | None
    names: tuple[str, ...]

    def subject(self) -> x509.Name:
        """O = the site, OU = the profile, CN = the host's DNS name."""
        return x509.Name(
            [
                x509.NameAttribute(NameOID.ORGANIZATION_NAME, self.organization),
                x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, self.profile),
                x509.NameAttribute(NameOID.COMMON_NAME, self.fqdn),
            ]
        )

    def extensions(self) -> list[tuple[x509.ExtensionType, bool]]:
        """Return the extensions that follow from this alone, each with whether it is critical."""
        found: list[tuple[x509.ExtensionType, bool]] = [
            (x509.BasicConstraints(ca=False, path_length=None), True),
            (_key_usage(digital_signature=True), True),
            (x509.ExtendedKeyUsage([USAGES[usage] for usage in self.usages]), False),
            (x509.SubjectAlternativeName([x509.DNSName(name) for name in self.names]), False),
        ]
        # RFC 6960 4.2.2.2.1: a responder's own status would have to be asked of itself.
        if OCSP_SIGNING in self.usages:
            found.append((x509.OCSPNoCheck(), False))
        elif self.status_url is not None:
            found += status_extensions(self.status_url, "issuing.crl")
        return found

    def is_met_by(self, certificate: x509.Certificate) -> bool:
        """Whether a certificate already says exactly this (its dates and its key aside)."""
        present = {extension.oid: extension for extension in certificate.extensions}
        wanted: list[tuple[x509.ExtensionType, bool]] = self.extensions()
        of_the_key = {x509.SubjectKeyIdentifier.oid, x509.AuthorityKeyIdentifier.oid}
        return (
            certificate.subject == self.subject()
            and {value.oid for value, _ in wanted} == set(present) - of_the_key
            and all(
                present[value.oid].value == value and present[value.oid].critical == critical
                for value, critical in wanted
            )
        )


def status_extensions(url: str, crl: str) -> list[tuple[x509.ExtensionType, bool]]:
    """Return where a certificate's status is asked for: OCSP (RFC 6960 3.1) and CRL (RFC 5280 4.2.1.13)."""
    ocsp = x509.AccessDescription(AuthorityInformationAccessOID.OCSP, x509.UniformResourceIdentifier(f"{url}/ocsp"))
    point = x509.DistributionPoint([x509.UniformResourceIdentifier(f"{url}/{crl}")], None, None, None)
    points = (x509.CRLDistributionPoints([point]), False)
    # The responder speaks for the issuing CA alone: the root's one certificate is judged by the root's CRL.
    return [points] if crl == "root.crl" else [(x509.AuthorityInformationAccess([ocsp]), False), points]


@dataclass(frozen=True)
class Authority:
    """A key with the CA certificate that belongs to it."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @classmethod
    def self_signed(cls, common_name: str, organization: str, now: datetime, lifetime: timedelta) -> Authority:
        """Make a root."""
        key = new_key()
        name = _ca_name(common_name, organization)
        builder = _builder(name, name, key.public_key(), now, lifetime)
        builder = _add(builder, [(x509.BasicConstraints(ca=True, path_length=1), True), (_ca_usage(), True)])
        return cls(key, builder.sign(key, hashes.SHA256()))

    def subordinate(
        self, common_name: str, organization: str, now: datetime, lifetime: timedelta, status_url: str | None
    ) -> Authority:
        """Make a CA below this one, which may sign leaves only."""
        key = new_key()
        builder = _builder(
            _ca_name(common_name, organization), self.certificate.subject, key.public_key(), now, lifetime
        )
        extensions = [
            (x509.BasicConstraints(ca=True, path_length=0), True),
            (_ca_usage(), True),
            self._key_identifier(),
        ]
        if status_url is not None:
            extensions += status_extensions(status_url, "root.crl")
        return Authority(key, _add(builder, extensions).sign(self.key, hashes.SHA256()))

    def issue(
        self, wanted: Wanted, key: ec.EllipticCurvePublicKey, now: datetime, lifetime: timedelta = LEAF_LIFETIME
    ) -> x509.Certificate:
        """Sign a leaf certificate; ``lifetime`` counts from ``now``."""
        builder = _builder(wanted.subject(), self.certificate.subject, key, now, lifetime)
        return _add(builder, [*wanted.extensions(), self._key_identifier()]).sign(self.key, hashes.SHA256())

    @staticmethod
    def self_signed_leaf(key: ec.EllipticCurvePrivateKey, wanted: Wanted, now: datetime) -> x509.Certificate:
        """Return a leaf certificate signed by its own key."""
        builder = _builder(wanted.subject(), wanted.subject(), key.public_key(), now, LEAF_LIFETIME)
        return _add(builder, wanted.extensions()).sign(key, hashes.SHA256())

    def revocation_list(
        self, entries: Iterable[Entry], number: int, now: datetime, lifetime: timedelta
    ) -> x509.CertificateRevocationList:
        """Sign a CRL (RFC 5280 5) that lists the revoked entries."""
        builder = x509.CertificateRevocationListBuilder(self.certificate.subject, now - CLOCK_SKEW, now + lifetime)
        builder = builder.add_extension(x509.CRLNumber(number), critical=False)
        identifier, critical = self._key_identifier()
        builder = builder.add_extension(identifier, critical=critical)
        for entry in entries:
            if entry.revoked is None:
                continue
            revoked = x509.RevokedCertificateBuilder(entry.serial, entry.revoked)
            if entry.reason is not None and entry.reason != "unspecified":  # RFC 5280 5.3.1: rather absent
                revoked = revoked.add_extension(x509.CRLReason(REASONS[entry.reason]), critical=False)
            builder = builder.add_revoked_certificate(revoked.build())
        return builder.sign(self.key, hashes.SHA256())

    def _key_identifier(self) -> tuple[x509.ExtensionType, bool]:
        subject = self.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
        return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(subject), False


def _ca_name(common_name: str, organization: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, now: datetime, lifetime: timedelta
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - CLOCK_SKEW)
        .not_valid_after(now + lifetime)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _add(
    builder: x509.CertificateBuilder, extensions: Iterable[tuple[x509.ExtensionType, bool]]
) -> x509.CertificateBuilder:
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical=critical)
    return builder


def _ca_usage() -> x509.KeyUsage:
    return _key_usage(key_cert_sign=True, crl_sign=True)


def _key_usage(
    *, digital_signature: bool = False, key_cert_sign: bool = False, crl_sign: bool = False
) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=key_cert_sign,
        crl_sign=crl_sign,
        encipher_only=False,
        decipher_only=False,
    )

"""How long certificates and revocation lists live, and the names of what a certificate may be used for."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from cryptography.x509.oid import ExtendedKeyUsageOID

if TYPE_CHECKING:
    from cryptography.x509.oid import ObjectIdentifier

LEAF_LIFETIME = timedelta(days=365)
"""One year: the CA/Browser Forum allowed at most 825 days when the guide was written, and less since."""

RENEW_BEFORE = timedelta(days=30)
"""A certificate with less left than this is replaced by the next ``ensure_pki``."""

ROOT_LIFETIME = timedelta(days=3650)
ISSUING_LIFETIME = timedelta(days=1825)

ISSUING_CRL_LIFETIME = timedelta(days=30)
"""Renewed when less than half of it is left (RFC 5280 5.1.2.5 leaves the period to the issuer)."""

ROOT_CRL_LIFETIME = timedelta(days=365)
"""The root signs only the issuing CA, and its key is meant to rest; renewed by halves too."""

CLOCK_SKEW = timedelta(minutes=5)
"""Certificates and CRLs start this much in the past, so that a host whose clock is a little behind accepts them."""

TLS_VERSIONS = ("TLS 1.2", "TLS 1.3")
TLS_SUITES = (
    "TLS_AES_128_GCM_SHA256",
    "TLS_AES_256_GCM_SHA384",
    "ECDHE-ECDSA-AES128-GCM-SHA256",
    "ECDHE-ECDSA-AES256-GCM-SHA384",
)
"""What peers may use with the lab's certificates (P-256): BCP 195 (RFC 8996, RFC 9325 4.2), as PS3.15 B.12.

For people: a unit test holds it against what the edges' role configures.
"""

OCSP_SIGNING = "OCSPSigning"

USAGES: dict[str, ObjectIdentifier] = {
    "serverAuth": ExtendedKeyUsageOID.SERVER_AUTH,
    "clientAuth": ExtendedKeyUsageOID.CLIENT_AUTH,
    "codeSigning": ExtendedKeyUsageOID.CODE_SIGNING,
    "emailProtection": ExtendedKeyUsageOID.EMAIL_PROTECTION,
    "timeStamping": ExtendedKeyUsageOID.TIME_STAMPING,
    OCSP_SIGNING: ExtendedKeyUsageOID.OCSP_SIGNING,
}
"""Extended key usages by the names that RFC 5280 4.2.1.12 gives them. Which profile has which, roles declare."""

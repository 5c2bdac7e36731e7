"""What a certificate of each profile may do, and how long it lives."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from cryptography.x509.oid import ExtendedKeyUsageOID, ObjectIdentifier

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

_SERVER = ExtendedKeyUsageOID.SERVER_AUTH
_CLIENT = ExtendedKeyUsageOID.CLIENT_AUTH


@dataclass(frozen=True)
class Profile:
    """The extended key usages of a certificate (RFC 5280 4.2.1.12), and whether status checks are pointless for it."""

    usages: tuple[ObjectIdentifier, ...]
    ocsp_no_check: bool = False


PROFILES: dict[str, Profile] = {
    "dicom-node": Profile((_SERVER, _CLIENT)),
    "hl7-node": Profile((_SERVER, _CLIENT)),
    "syslog-node": Profile((_SERVER, _CLIENT)),
    "web": Profile((_SERVER,)),
    "database": Profile((_SERVER,)),
    "database-client": Profile((_CLIENT,)),
    # RFC 6960 4.2.2.2: a delegated responder; its own status would have to be asked of itself (4.2.2.2.1).
    "ocsp-signer": Profile((ExtendedKeyUsageOID.OCSP_SIGNING,), ocsp_no_check=True),
}
"""Profiles by name; the name is also the OU of the certificate, which servers check."""

"""TLS contexts of clients: mutual authentication as PS3.15 B.12 and BCP 195 (RFC 9325) ask for it."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

from simulators.errors import NotReadyError
from simulators.revocation import lists_alone

if TYPE_CHECKING:
    from pathlib import Path

    from simulators.settings import Settings

CIPHER_SUITES = (
    "ECDHE-ECDSA-AES256-GCM-SHA384",
    "ECDHE-ECDSA-AES128-GCM-SHA256",
    "ECDHE-ECDSA-CHACHA20-POLY1305",
    "ECDHE-RSA-AES256-GCM-SHA384",
    "ECDHE-RSA-AES128-GCM-SHA256",
    "ECDHE-RSA-CHACHA20-POLY1305",
)
"""TLS 1.2 suites with forward secrecy and AEAD (RFC 9325 4.2); those of TLS 1.3 are all of that kind."""


def client_context(settings: Settings, certificate: str) -> ssl.SSLContext:
    """Return a context that presents `certificate` and accepts unrevoked servers of the site's CA by their name.

    Args:
        settings: the host's settings.
        certificate: name of one of the host's certificates, such as ``dicom-client`` or ``hl7``.

    Raises:
        NotReadyError: a file is missing, unreadable or not what it should be.
    """
    if certificate not in settings.tls.certificates:
        raise NotReadyError(
            f"{settings.host.name} has no certificate {certificate}",
            remedy="A role's meta/pacslab.yml names its certificates; configure the host again.",
        )
    own = settings.tls.certificates[certificate]
    context = server_context(settings)
    try:
        context.load_cert_chain(own.certificate, own.key)
    except OSError as error:
        raise _unusable(own.key, error) from error
    return context


def server_context(settings: Settings) -> ssl.SSLContext:
    """Return a context that presents nothing, and accepts unrevoked servers of the site's CA by their name.

    Raises:
        NotReadyError: a file is missing, unreadable or not what it should be.
    """
    trust = settings.tls
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(":".join(CIPHER_SUITES))
    context.verify_flags |= ssl.VERIFY_CRL_CHECK_LEAF
    try:
        path = trust.ca
        context.load_verify_locations(path)
        path = trust.crl
        with lists_alone(path) as lists:
            context.load_verify_locations(lists)
    except OSError as error:
        raise _unusable(path, error) from error
    return context


def _unusable(path: Path, error: OSError) -> NotReadyError:
    return NotReadyError(
        f"cannot use {path}: {error}",
        remedy="Run the command as root or as the service's user; if it still fails, configure the host again.",
    )

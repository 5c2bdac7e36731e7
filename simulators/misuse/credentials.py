"""TLS contexts of somebody who does not keep to the rules."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

from simulators.errors import ArgumentError
from simulators.tls import client_context

if TYPE_CHECKING:
    from pathlib import Path

    from simulators.settings import Settings


def anonymous(settings: Settings) -> ssl.SSLContext:
    """Verify the server and present no certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(settings.tls.ca)
    return context


def presenting(settings: Settings, certificate: Path | None, key: Path | None) -> ssl.SSLContext:
    """Present a certificate that is not the host's own.

    Raises:
        ArgumentError: the files are not given, or are no certificate and key.
    """
    if certificate is None or key is None:
        raise ArgumentError(
            "this case needs a certificate and its key", remedy="Give them with --certificate and --key (PEM)."
        )
    context = anonymous(settings)
    try:
        context.load_cert_chain(certificate, key)
    except OSError as error:
        raise ArgumentError(
            f"cannot use {certificate}: {error}", remedy="Give PEM files that belong together."
        ) from error
    return context


def outdated(settings: Settings, certificate: str) -> ssl.SSLContext:
    """Present the host's own certificate, and offer nothing newer than TLS 1.1 (forbidden by RFC 8996).

    Security level 0 lets OpenSSL send such an offer at all; what the peer makes of it is the point.
    """
    context = client_context(settings, certificate)
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = ssl.TLSVersion.TLSv1_1
    context.maximum_version = ssl.TLSVersion.TLSv1_1
    return context

"""Callers without a certificate that counts, or without TLS that does; each tries to store an image."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.misuse.credentials import anonymous, outdated, presenting
from simulators.misuse.dicom import CERTIFICATE, OTHER_CERTIFICATE, dicom_case, forge, own_title, peer_of

if TYPE_CHECKING:
    import argparse

    from simulators.misuse.outcome import Answer
    from simulators.settings import Settings


def no_certificate(arguments: argparse.Namespace, settings: Settings) -> Answer:
    """Without a client certificate."""
    return forge(peer_of(arguments, settings), own_title(settings), anonymous(settings), instance=arguments.instance)


def other_certificate(arguments: argparse.Namespace, settings: Settings) -> Answer:
    """With a certificate that is given, and the AE title that is, or the host's own."""
    tls = presenting(settings, arguments.certificate, arguments.key)
    return forge(
        peer_of(arguments, settings), arguments.ae_title or own_title(settings), tls, instance=arguments.instance
    )


def old_tls(arguments: argparse.Namespace, settings: Settings) -> Answer:
    """With nothing newer than TLS 1.1."""
    return forge(
        peer_of(arguments, settings), own_title(settings), outdated(settings, CERTIFICATE), instance=arguments.instance
    )


def plain(arguments: argparse.Namespace, settings: Settings) -> Answer:
    """Without TLS on the port that speaks TLS."""
    return forge(peer_of(arguments, settings), own_title(settings), None, instance=arguments.instance)


CASES = (
    dicom_case("dicom-no-certificate", "no client certificate", no_certificate),
    dicom_case(
        "dicom-other-certificate",
        "a certificate that is given: foreign, expired, revoked, or another host's",
        other_certificate,
        OTHER_CERTIFICATE,
    ),
    dicom_case("dicom-old-tls", "TLS 1.1", old_tls),
    dicom_case("dicom-plain", "no TLS on the TLS port", plain),
)

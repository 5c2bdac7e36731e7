"""Requests to a DICOMweb edge that mean something else behind it."""

from __future__ import annotations

import http.client
from typing import TYPE_CHECKING

from simulators.errors import UnreachableError
from simulators.misuse.case import Case
from simulators.misuse.outcome import Answer
from simulators.tls import client_context

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

    from simulators.settings import Peer, Settings

OK, NO_CONTENT = 200, 204
SEARCH = "/dicom-web/studies"


def peer_of(arguments: argparse.Namespace, settings: Settings) -> Peer:
    """The peer that is named, or the first archive with DICOMweb."""
    return settings.peer("dicomweb-tls", name=arguments.peer)


def _ask(arguments: argparse.Namespace, settings: Settings, path: str, headers: Mapping[str, str]) -> Answer:
    """Ask with the host's own certificate.

    Raises:
        UnreachableError: there is no answer.
    """
    peer, tls = peer_of(arguments, settings), client_context(settings, "dicom-client")
    connection = http.client.HTTPSConnection(peer.fqdn, peer.port, context=tls, timeout=15)
    try:
        connection.request("GET", path, headers=dict(headers))
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        raise UnreachableError(f"no answer of {peer.name}: {error}", remedy="Look at its health.") from error
    finally:
        connection.close()
    return Answer(status not in {OK, NO_CONTENT}, "http", f"status {status}", {"status": status})


def header(arguments: argparse.Namespace, settings: Settings) -> Answer:
    """A search that a header declares to be a DELETE."""
    return _ask(arguments, settings, f"{SEARCH}?limit=1", {"X-HTTP-Method-Override": "DELETE"})


def word(arguments: argparse.Namespace, settings: Settings) -> Answer:
    """A search that a word of its query declares to be a DELETE."""
    return _ask(arguments, settings, f"{SEARCH}?limit=1&_method=DELETE", {})


def control(arguments: argparse.Namespace, settings: Settings) -> Answer:
    """QIDO-RS, as permitted."""
    return _ask(arguments, settings, f"{SEARCH}?limit=1&includefield=all&00080060=CT", {})


CASES = (
    Case("dicomweb-header", "a search that a header declares to be a DELETE", header, peer_of, control=control),
    Case("dicomweb-word", "a search that a word of its query declares to be a DELETE", word, peer_of, control=control),
)

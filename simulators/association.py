"""DICOM associations: opened over TLS, served on loopback behind the edge; TCP_NODELAY on both.

Neither pynetdicom nor DCMTK sets TCP_NODELAY; with Nagle's algorithm each PDU waits for a delayed acknowledgement.
"""

from __future__ import annotations

import socket
import ssl
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

from pynetdicom import AE, evt
from pynetdicom.presentation import PresentationContext

from simulators.errors import (
    AssociationRejectedError,
    NotReadyError,
    SimulatorError,
    TlsRefusedError,
    UnreachableError,
)
from simulators.report_lock import report_lock
from simulators.response_guard import guard_responses
from simulators.tls_connection import TlsConnector

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pynetdicom.association import Association
    from pynetdicom.transport import ThreadedAssociationServer

    from simulators.settings import Peer

MAXIMUM_PDU = 131_072
"""Bytes; large PDUs cost fewer system calls, and both ends negotiate it (PS3.8 D.1)."""

CONNECT_SECONDS = 10.0
ACSE_SECONDS = 15.0
DIMSE_SECONDS = 60.0
IDLE_SECONDS = 120.0
MOST_ASSOCIATIONS = 500
"""Of all callers together; how many one may have is the edge's to say, so that none has all of them."""


def no_delay(event: Any) -> None:
    """Set TCP_NODELAY on an association's connection; a handler of ``EVT_CONN_OPEN``."""
    connection = event.assoc.dul.socket.socket
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def contexts(sop_classes: Iterable[str], transfer_syntaxes: Sequence[str] | None = None) -> list[PresentationContext]:
    """Return a presentation context for each SOP class, uncompressed little endian unless told otherwise."""
    from_uid = [_context(uid, transfer_syntaxes) for uid in sop_classes]
    for number, context in enumerate(from_uid):
        context.context_id = 2 * number + 1
    return from_uid


def _context(uid: str, transfer_syntaxes: Sequence[str] | None) -> PresentationContext:
    from_defaults = PresentationContext()
    from_defaults.abstract_syntax = uid
    from_defaults.transfer_syntax = list(transfer_syntaxes or ("1.2.840.10008.1.2.1", "1.2.840.10008.1.2"))
    return from_defaults


def _entity(ae_title: str) -> AE:
    entity = AE(ae_title=ae_title)
    entity.maximum_pdu_size = MAXIMUM_PDU
    entity.connection_timeout = CONNECT_SECONDS
    entity.acse_timeout = ACSE_SECONDS
    entity.dimse_timeout = DIMSE_SECONDS
    entity.network_timeout = IDLE_SECONDS
    return entity


@contextmanager
def associate(
    peer: Peer,
    wanted: Sequence[PresentationContext],
    *,
    calling: str,
    tls: ssl.SSLContext | None,
    called: str | None = None,
    handlers: Sequence[Any] = (),
    roles: Sequence[Any] = (),
) -> Iterator[Association]:
    """Open an association with `peer` and release it at the end of the block.

    Args:
        peer: where to connect; TLS verifies the certificate against its ``identity``.
        wanted: presentation contexts to propose; see :func:`contexts`.
        calling: calling AE title.
        tls: from :func:`simulators.tls.client_context`; None speaks plain DICOM.
        called: called AE title where it is not the peer's own.
        handlers: further ``(event, function)`` pairs.
        roles: role selection items (PS3.7 D.3.3.4), for C-GET.

    Raises:
        AssociationRejectedError: A-ASSOCIATE-RJ or an abort before the association stood.
        TlsRefusedError: a certificate was not accepted.
        UnreachableError: no connection.
    """
    connector = None if tls is None else TlsConnector(tls)
    connected = threading.Event()
    association = _entity(calling).associate(
        peer.address,
        peer.port,
        contexts=list(wanted),
        ae_title=called or peer.ae_title or "",
        max_pdu=MAXIMUM_PDU,
        ext_neg=list(roles) or None,
        evt_handlers=[
            (evt.EVT_CONN_OPEN, no_delay),
            (evt.EVT_CONN_OPEN, lambda _: connected.set()),
            *handlers,
        ],
        tls_args=None if connector is None else (cast("ssl.SSLContext", connector), peer.identity),
    )
    if not association.is_established:
        failure = None if connector is None else connector.failure
        raise _why_not(association, peer, failure, connected=connected.is_set())
    guard_responses(association)
    answering = report_lock(association)
    try:
        yield association
    finally:
        with answering:
            if association.is_established:
                association.release()


def _why_not(association: Association, peer: Peer, failure: OSError | None, *, connected: bool) -> SimulatorError:
    where = f"{peer.name} ({peer.address}:{peer.port})"
    if association.is_rejected:
        answer = association.acceptor.primitive
        reason = f"{answer.result_str}, {answer.source_str}: {answer.reason_str}" if answer else "no reason"
        return AssociationRejectedError(
            f"{where} rejected the association: {reason}",
            remedy="Compare calling and called AE title with the site's hosts and flows.",
        )
    if isinstance(failure, ssl.SSLError):
        return TlsRefusedError(
            f"TLS with {where} failed: {failure.reason or failure}",
            remedy="Look at the validity, profile and revocation of both certificates.",
        )
    if connected:
        return AssociationRejectedError(
            f"{where} closed the connection instead of answering the association request",
            remedy="Its edge refuses what no flow declares: look at the edge's log for the reason.",
        )
    return UnreachableError(
        f"no connection to {where}: {failure or 'refused or no answer'}",
        remedy="Look at the site's flows and the peer's health.",
    )


def start_scp(
    ae_title: str,
    port: int,
    supported: Sequence[PresentationContext],
    handlers: Sequence[Any],
    *,
    callers: Sequence[str] = (),
    address: str = "127.0.0.1",
) -> ThreadedAssociationServer:
    """Serve associations on loopback in threads; call ``shutdown()`` on what is returned.

    The called AE title must be `ae_title`, and the calling one among `callers` when there are any (PS3.8 9.3.4:
    rejected-permanent, called or calling AE title not recognised).

    Raises:
        NotReadyError: the port is taken.
    """
    entity = _entity(ae_title)
    entity.require_called_aet = True
    entity.require_calling_aet = list(callers)
    entity.maximum_associations = MOST_ASSOCIATIONS
    try:
        server = entity.start_server(
            (address, port),
            block=False,
            contexts=list(supported),
            ae_title=ae_title,
            evt_handlers=[(evt.EVT_CONN_OPEN, no_delay), *handlers],
        )
    except OSError as error:
        raise NotReadyError(
            f"cannot listen on {address}:{port}: {error}", remedy="Stop the other process that holds the port."
        ) from error
    if server is None:  # pynetdicom returns None when it blocks, which it was told not to
        raise NotReadyError(f"no listener on {address}:{port}", remedy="Look at the installed pynetdicom.")
    return server

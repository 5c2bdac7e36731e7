"""RAD-129 QIDO-RS and RAD-107 WADO-RS (PS3.18 10.6, 10.4) over mutual TLS."""

from __future__ import annotations

import http.client
import json
import re
import socket
import ssl
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from pydicom.datadict import keyword_for_tag

from simulators.errors import NotFoundError, RefusedError, TlsRefusedError, UnreachableError
from simulators.events.actions import QUERY, RETRIEVE
from simulators.events.report import performing
from simulators.workstation.query import RETURNED, ids_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from simulators.workstation.desk import Desk
    from simulators.workstation.folder import Folder

ROOT = "/dicom-web"
CONNECT_SECONDS, ANSWER_SECONDS = 10.0, 60.0
MAXIMUM_ANSWER = 1024 * 1024 * 1024
"""Bytes; a study that is larger is retrieved series by series."""
_BOUNDARY = re.compile(r'boundary="?([^";]+)"?')
_OK, _NO_CONTENT, _NOT_FOUND = 200, 204, 404


def search(desk: Desk, level: str, keys: Mapping[str, str]) -> list[dict[str, str]]:
    """QIDO-RS: return matches as plain values by keyword.

    Args:
        desk: whom to ask.
        level: STUDY, SERIES or IMAGE; below STUDY ``keys`` has StudyInstanceUID, for IMAGE also SeriesInstanceUID.
        keys: matching keys by keyword.

    Raises:
        RefusedError, TlsRefusedError, UnreachableError: as they say.
    """
    rest = dict(keys)
    path = f"{ROOT}/studies"
    if level != "STUDY":
        path += f"/{rest.pop('StudyInstanceUID')}/series"
    if level == "IMAGE":
        path += f"/{rest.pop('SeriesInstanceUID')}/instances"
    query = urlencode([*rest.items(), *(("includefield", name) for name in RETURNED[level])])
    with performing(QUERY, transaction="RAD-129", **desk.actor, level=level, **ids_of(keys)) as known:
        _, body = _get(desk, f"{path}?{query}", "application/dicom+json")
        found = [_plain(match) for match in _json(desk, body)]
        known["found"] = len(found)
    return found


def retrieve(desk: Desk, folder: Folder, *, study: str, series: str = "", instance: str = "") -> None:
    """WADO-RS: bring a study, a series or an instance into the folder, in the transfer syntax it is kept in.

    Raises:
        NotFoundError: the archive does not have it.
        RefusedError, TlsRefusedError, UnreachableError: as they say.
    """
    path = f"{ROOT}/studies/{study}"
    path += f"/series/{series}" if series else ""
    path += f"/instances/{instance}" if instance else ""
    before = len(folder.paths)
    facts = {"study": study, "series": series, "instance": instance}
    with performing(RETRIEVE, transaction="RAD-107", **desk.actor, **facts) as known:
        kind, body = _get(desk, path, 'multipart/related; type="application/dicom"; transfer-syntax=*')
        found = _BOUNDARY.search(kind)
        if found is None:
            raise RefusedError(f"{desk.archive.name} did not answer in parts: {kind}", remedy="Look at its log.")
        try:
            objects = parts(body, found.group(1).encode())
        except ValueError as error:
            raise _broken_off(desk) from error
        for content in objects:
            folder.add_bytes(content)
        known["instances"] = len(folder.paths) - before


def parts(body: bytes, boundary: bytes) -> list[bytes]:
    """The contents of a multipart body (RFC 2046 5.1.1).

    Raises:
        ValueError: it does not come to its end.
    """
    contents: list[bytes] = []
    for part in (b"\r\n" + body).split(b"\r\n--" + boundary)[1:]:
        if part.startswith(b"--"):
            return contents
        _, _, content = part.partition(b"\r\n\r\n")
        contents.append(content)
    raise ValueError("the last boundary is missing")


def _json(desk: Desk, body: bytes) -> list[dict[str, Any]]:
    """Read what QIDO-RS answers.

    Raises:
        UnreachableError: it does not come to its end.
    """
    try:
        matches: list[dict[str, Any]] = json.loads(body or b"[]")
    except ValueError as error:
        raise _broken_off(desk) from error
    return matches


def _broken_off(desk: Desk) -> UnreachableError:
    return UnreachableError(f"{desk.archive.name} did not answer to the end.", remedy="Ask again; look at its health.")


def _get(desk: Desk, path: str, accept: str) -> tuple[str, bytes]:
    """Return Content-Type and body of a resource."""
    peer = desk.archive
    where = f"{peer.name} ({peer.address}:{peer.port})"
    remedy = "Look at the site's flows and at the edge's log."
    connection = http.client.HTTPConnection(peer.fqdn, peer.port)
    try:
        connection.sock = _connect(desk)
        connection.request("GET", path, headers={"Accept": accept})
        answer = connection.getresponse()
        body = answer.read(MAXIMUM_ANSWER + 1)
    except ssl.SSLError as error:
        raise TlsRefusedError(f"TLS with {where} failed: {error.reason or error}", remedy=remedy) from error
    except (OSError, http.client.HTTPException) as error:
        raise UnreachableError(f"no answer from {where}: {error or type(error).__name__}", remedy=remedy) from error
    finally:
        connection.close()
    if answer.status == _NOT_FOUND:
        raise NotFoundError(
            f"{peer.name} has no {path.partition('?')[0]}", remedy="Look with `pacslab-workstation query --web`."
        )
    if answer.status not in {_OK, _NO_CONTENT}:
        raise RefusedError(f"{where} answered {answer.status} {answer.reason}", remedy=remedy)
    if len(body) > MAXIMUM_ANSWER:
        raise RefusedError(f"{where} sent more than 1 GiB", remedy="Retrieve series by series.")
    return answer.headers.get("Content-Type", ""), body


def _connect(desk: Desk) -> socket.socket:
    """Connect to the peer's address; the certificate has to carry its name."""
    peer = desk.archive
    plain = socket.create_connection((peer.address, peer.port), timeout=CONNECT_SECONDS)
    plain.settimeout(ANSWER_SECONDS)
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if desk.tls is None:
        return plain
    return desk.tls.wrap_socket(plain, server_hostname=peer.identity)


def _plain(match: dict[str, Any]) -> dict[str, str]:
    """A match of the DICOM JSON model (PS3.18 F) as plain values by keyword."""
    plain = {}
    for tag, element in match.items():
        keyword = keyword_for_tag(tag)
        values = element.get("Value", [])
        if keyword and element.get("vr") != "SQ" and keyword not in {"RetrieveURL", "SpecificCharacterSet"}:
            texts = [str(value.get("Alphabetic", "")) if isinstance(value, dict) else str(value) for value in values]
            plain[keyword] = "\\".join(texts)
    return plain

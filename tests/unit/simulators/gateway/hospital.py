"""Archives of the DICOM JSON model on loopback, and a gateway in front of them, for tests."""

from __future__ import annotations

import re
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from simulators.access import subject
from simulators.access.calling import Service
from simulators.access.policy import Policy, Scope
from simulators.access.relations import Relations
from simulators.errors import UnreachableError
from simulators.gateway.access import Access
from simulators.gateway.application import Gateway
from simulators.gateway.archives import Archive
from simulators.gateway.break_glass import Grants
from simulators.gateway.browsers import Browsers
from simulators.gateway.studies import Studies

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

ORIGIN = "https://viewer.tiny.internal"
AUTHORITY = "TINY"
POLICY = Policy(
    {
        "radiologist": {"search-studies": Scope.DEPARTMENT, "view-images": Scope.DEPARTMENT, "break-glass": Scope.ALL},
        "clinician": {"search-studies": Scope.TREATMENT, "view-images": Scope.TREATMENT, "break-glass": Scope.ALL},
        "technologist": {
            "search-studies": Scope.DEPARTMENT,
            "view-images": Scope.DEPARTMENT,
            "add-images": Scope.DEPARTMENT,
        },
        "researcher": {"search-studies": Scope.ALL, "view-images": Scope.ALL},
        "administrator": {},
    }
)


def image(patient: str, study: str, series: str, instance: str, *, name: str = "") -> dict[str, str]:
    return {
        "00100020": patient,
        "0020000D": study,
        "0020000E": series,
        "00080018": instance,
        "00100010": name or f"Name^{patient}",
    }


KEYS = {"studies": "0020000D", "series": "0020000E", "instances": "00080018"}
WORDS = {"PatientID": "00100020", "StudyInstanceUID": "0020000D", "PatientName": "00100010"}


@dataclass
class FakeArchive:
    """An archive with images; it answers as one does that knows nothing of people."""

    name: str
    images: list[dict[str, str]]
    asked: list[str] = field(default_factory=list)
    stored: list[tuple[str, bytes]] = field(default_factory=list)
    stores: tuple[str, ...] = ()
    away: bool = False
    issuer: str = AUTHORITY
    takes: bool = False
    content_type: str = "multipart/related"

    def application(self) -> web.Application:
        """What it serves."""
        application = web.Application(client_max_size=2**20)
        application.router.add_route("*", "/{path:.*}", self._answer)
        return application

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request.raw_path)
        if self.away:
            return web.Response(status=503)
        path = request.path.removeprefix("/dicom-web")
        if request.method == "POST":
            self.stored.append((request.headers["Content-Type"], await request.read()))
            named = [{"00081155": {"vr": "UI", "Value": [uid]}} for uid in self.stores]
            return web.json_response({"00081199": {"vr": "SQ", "Value": named}})
        named = dict(re.findall(r"/(studies|series|instances)/([0-9.]+)", path))
        level = path.rsplit("/", 1)[-1]
        chosen = [held for held in self.images if all(held[KEYS[part]] == uid for part, uid in named.items())]
        if level in KEYS:
            return self._search(request, level, chosen)
        if not chosen:
            return web.Response(status=404)
        if path.endswith("/metadata"):
            url = f"https://{self.name}.tiny.internal:8443/dicom-web/bulk"
            return web.json_response([{"00420011": {"BulkDataURI": url}}], content_type="application/dicom+json")
        taken = "/bulk/" not in path or "," not in request.headers["Accept"]  # Orthanc takes no list there
        body = chosen[0]["00080018"].encode() if taken else b""
        return web.Response(status=200 if taken else 400, body=body, content_type=self.content_type)

    def _search(self, request: web.Request, level: str, chosen: list[dict[str, str]]) -> web.Response:
        for word, wanted in request.query.items():
            tag = WORDS.get(word, word)
            if tag in WORDS.values():
                patterns = [re.escape(part).replace(r"\*", ".*") for part in wanted.split(",")]
                chosen = [held for held in chosen if any(re.fullmatch(pattern, held[tag]) for pattern in patterns)]
        unique = list({held[KEYS[level]]: held for held in chosen}.values())
        offset, limit = int(request.query.get("offset", 0)), int(request.query.get("limit", 1000))
        found: list[dict[str, Any]] = [
            {tag: {"vr": "LO", "Value": [text]} for tag, text in held.items()}
            | {"00100021": {"vr": "LO", "Value": [self.issuer]}, "00081190": {"vr": "UR", "Value": ["https://x"]}}
            for held in unique[offset : offset + limit]
        ]
        return web.json_response(found)


@dataclass
class FakeSource:
    """A system that knows whom people treat."""

    name: str
    known: dict[tuple[Scope, str], frozenset[str]]
    away: bool = False
    asked: int = 0

    async def patients(self, scope: Scope, who: str) -> frozenset[str]:
        """Whom it knows."""
        self.asked += 1
        if self.away:
            raise UnreachableError(f"{self.name} does not answer", remedy="Wait.")
        return self.known.get((scope, who), frozenset())


def signed_in(person: str, role: str, department: str = "Radiology", **more: str) -> dict[str, str]:
    return {subject.PERSON: person, subject.ROLES: role, subject.DEPARTMENT: department, subject.SESSION: "s1", **more}


@asynccontextmanager
async def gateway(
    folder: Path, archives: list[FakeArchive], sources: list[FakeSource]
) -> AsyncIterator[TestClient[web.Request, web.Application]]:
    """A gateway before these archives, which believes these sources."""
    servers, session = [TestServer(archive.application()) for archive in archives], aiohttp.ClientSession()
    try:
        known = []
        for archive, server in zip(archives, servers, strict=True):
            await server.start_server()
            base = f"https://{archive.name}.tiny.internal:8443/dicom-web"
            service = Service(archive.name, str(server.make_url("/dicom-web")), archive.name, session)
            known.append(Archive(service, base, archive.takes))
        browsers = Browsers(folder / "sessions.jsonl")
        access = Access(POLICY, Relations(sources), Grants(folder / "grants.json"))
        served = Gateway(access, Studies(known, AUTHORITY), browsers, origin=ORIGIN).application()
        async with TestClient(TestServer(served)) as client:
            yield client
    finally:
        await session.close()
        for server in servers:
            await server.close()

"""The service is ready when it serves, opens what it calls again on SIGHUP, and stops on SIGTERM."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
import ssl
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
from aiohttp import web

from lab.trust import revoke
from lab.trust.store import pki_folder
from simulators.access import policy
from simulators.gateway import serve
from simulators.relations.resource import told
from simulators.settings import parse
from tests.unit.simulators.peers import free_port

if TYPE_CHECKING:
    from pathlib import Path

HEADERS = {
    "X-Pacslab-Person": "n.okafor",
    "X-Pacslab-Roles": "clinician",
    "X-Pacslab-Department": "Surgery",
    "X-Pacslab-Session": "s1",
}
POLICY = policy.Policy({"clinician": {"search-studies": policy.Scope.TREATMENT}})


@pytest.fixture
def lab(pki: Path, tmp_path: Path) -> Path:
    """A lab's folder in which a test may revoke certificates."""
    shutil.copytree(pki, tmp_path / "lab")
    return tmp_path / "lab"


def settings(keys: Path, listen: int, archive: int, source: int) -> Any:
    """A gateway with an archive and a source, which stand here behind certificates of two other hosts."""
    own = {"certificate": str(keys / "hosts/ct1/dicom-client.crt"), "key": str(keys / "hosts/ct1/dicom-client.key")}
    peers = [("pacs-rad", "dicomweb-tls", archive), ("ris1", "relations-tls", source)]
    return parse(
        {
            "host": {"name": "web1", "fqdn": "web1.imaging.internal", "address": "127.0.0.1"},
            "site": {"name": "reference", "domain": "imaging.internal"},
            "tls": {
                "ca": str(keys / "ca.crt"),
                "crl": str(keys / "crl.pem"),
                "certificates": {"gateway": own, "relations": own},
            },
            "listen": {"access-gateway": listen},
            "peers": [
                {"name": name, "fqdn": f"{name}.imaging.internal", "identity": f"{IDENTITIES[name]}",
                 "address": "127.0.0.1", "service": service, "port": port, "permits": ["QIDO-RS", "WADO-RS"]}
                for name, service, port in peers
            ],
            "callers": [],
        }
    )  # fmt: skip


IDENTITIES = {"pacs-rad": "pacs-rad.imaging.internal", "ris1": "ris1.imaging.internal"}


async def stand_in(keys: Path, certificate: str, answer: bytes, kind: str, asked: list[str]) -> tuple[Any, int]:
    """A server over mutual TLS that answers every request alike; also its port."""

    async def handle(request: web.Request) -> web.Response:
        asked.append(request.raw_path)
        return web.Response(body=answer, content_type=kind)

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(keys / f"hosts/{certificate}.crt", keys / f"hosts/{certificate}.key")
    context.load_verify_locations(keys / "ca.crt")
    context.verify_mode = ssl.CERT_REQUIRED
    application = web.Application()
    application.router.add_get("/{path:.*}", handle)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    return runner, runner.addresses[0][1]


async def status(port: int) -> int:
    url = f"http://127.0.0.1:{port}/dicom-web/studies"
    async with aiohttp.ClientSession() as client, client.get(url, headers=HEADERS) as answer:
        return answer.status


def test_it_serves_with_the_revocation_lists_of_now(
    lab: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, events: list[dict[str, Any]]
) -> None:
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path))
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
    monkeypatch.setattr(policy, "load", lambda: POLICY)
    monkeypatch.setattr(serve, "READ_SECONDS", 0.01)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.setblocking(False)  # noqa: FBT003 - its own form
        asyncio.run(scenario(lab, systemd, monkeypatch))
    assert [event["action"] for event in events if event["action"] == "start"] == ["start"]


async def scenario(lab: Path, systemd: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    loop, asked, keys = asyncio.get_running_loop(), list[str](), pki_folder(lab)
    archive, at = await stand_in(keys, "pacs-rad/dicomweb", b"[]", "application/dicom+json", asked)
    source, told_at = await stand_in(keys, "ris1/hl7-edge", told(["P1"]), "application/json", asked)
    own = settings(keys, free_port(), at, told_at)
    monkeypatch.setattr(serve, "load", lambda: own)
    serving = loop.create_task(serve._serve(own))  # noqa: SLF001 - what its verb runs
    try:
        assert await loop.sock_recv(systemd, 100) == b"READY=1"
        assert await status(own.port("access-gateway")) == 200
        assert asked[0] == "/relations/treatment/n.okafor"
        assert asked[1].startswith("/dicom-web/studies?")

        revoke(lab, "pacs-rad", "dicomweb")
        assert await status(own.port("access-gateway")) == 200  # the sessions of before stay as they are
        os.kill(os.getpid(), signal.SIGHUP)
        async with asyncio.timeout(10):
            while await status(own.port("access-gateway")) != 503:
                pass
        os.kill(os.getpid(), signal.SIGTERM)
        async with asyncio.timeout(10):
            assert await loop.sock_recv(systemd, 100) == b"STOPPING=1"
            await serving
    finally:
        serving.cancel()
        await archive.cleanup()
        await source.cleanup()

"""A simulator without its security speaks to everybody, and knows who sends HL7 by address alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from simulators import mllp
from simulators.database import URL_VARIABLE
from simulators.load import plain
from simulators.settings import PATH_VARIABLE, Peer, load
from tests.unit.simulators.peers import caller, peer

if TYPE_CHECKING:
    from pathlib import Path

    from simulators.proxy_protocol import Sender

SETTINGS: dict[str, Any] = {
    "host": {"name": "pacs-rad", "fqdn": "pacs-rad.imaging.internal", "address": "127.0.0.1"},
    "site": {"name": "reference", "domain": "imaging.internal"},
    "tls": {"ca": "/none", "crl": "/none", "certificates": {}},
    "listen": {},
    "peers": [peer("db1", "postgresql", "postgresql", [], 5432)],
    "callers": [caller("ehr1", "hl7-tls", ["ADT^A04"])],
}
SAYS = (
    "import simulators.mllp, simulators.modality.links as links, simulators.modality.server as server; "
    "print(simulators.mllp.Listener.__name__, links.client_context.__name__, server.start_scp.keywords)"
)


@pytest.fixture(autouse=True)
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A host's settings."""
    path = tmp_path / "simulator.json"
    path.write_text(json.dumps(SETTINGS), "utf-8")
    monkeypatch.setenv(PATH_VARIABLE, str(path))
    return tmp_path


def test_who_sends_is_known_by_address_alone() -> None:
    seen: list[Sender] = []

    def answer(message: bytes, sender: Sender) -> list[bytes]:
        seen.append(sender)
        return [message]

    listener = plain.PlainListener(0, answer)
    listener.start()
    try:
        assert listener.server_address[0] == plain.EVERYWHERE
        target = Peer("x", "x", "127.0.0.1", None, (), "hl7", listener.server_address[1], ())
        assert mllp.send(target, None, b"MSH|") == b"MSH|"
    finally:
        listener.stop()
    assert [sender.name for sender in seen] == ["ehr1.imaging.internal"]


def test_the_database_is_opened_without_tls() -> None:
    assert "host=127.0.0.1" in plain.connection_string(load())
    assert "user=pacs_rad dbname=pacs_rad sslmode=disable" in plain.connection_string(load())


def test_whatever_an_interpreter_imports_afterwards_is_without_security() -> None:
    program = f"import simulators.load.plain as plain; plain.apply(); {SAYS}"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split(maxsplit=2) == ["PlainListener", "no_context", "{'address': '0.0.0.0'}\n"]


def test_a_host_without_settings_is_left_as_it_is(monkeypatch: pytest.MonkeyPatch, host: Path) -> None:
    monkeypatch.setenv(PATH_VARIABLE, str(host / "none"))
    monkeypatch.delenv(URL_VARIABLE, raising=False)
    monkeypatch.setattr(plain, "REPLACED", ())
    plain.apply()
    assert URL_VARIABLE not in os.environ

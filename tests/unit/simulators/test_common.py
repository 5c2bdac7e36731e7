"""What all simulators share: settings, the table of commands, log lines, printing, and whom TLS believes."""

from __future__ import annotations

import importlib
import json
import os
import ssl
import subprocess
import sys
import threading
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from lab.trust.pki import ensure_pki, revoke
from lab.trust.store import pki_folder
from simulators import command_line, commands, mllp
from simulators.command_line import Result, Verb, fail, show, table
from simulators.errors import ArgumentError, NotFoundError, NotReadyError, TlsRefusedError
from simulators.identity import become_service_user
from simulators.settings import PATH_VARIABLE, Certificate, Settings, Trust, load
from simulators.tls import client_context
from tests.unit.simulators.peers import loopback_peer, ris_settings
from tests.unit.site_builder import committed_site

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def test_peers_are_found_by_service_role_name_and_permit() -> None:
    settings = ris_settings()
    assert [peer.name for peer in settings.find_peers("hl7-tls", role="image_manager")] == ["pacs-rad", "vna1"]
    assert [peer.name for peer in settings.find_peers("hl7-tls", role="image_manager", permit="ORM^O01")] == [
        "pacs-rad"
    ]
    assert settings.peer("hl7-tls", name="vna1").name == "vna1"
    assert [caller.name for caller in settings.find_callers("dicom-tls", permit="MWL")] == ["ct1", "ct2", "mr1"]


def test_a_peer_that_no_flow_allows_is_an_error_with_a_remedy() -> None:
    with pytest.raises(NotFoundError) as raised:
        ris_settings().peer("dicomweb-tls")
    assert "topology.yml" in raised.value.remedy


def test_a_port_that_the_host_does_not_have_is_an_error() -> None:
    with pytest.raises(NotReadyError):
        ris_settings().port("hl7")


@pytest.mark.parametrize("text", [None, "", "{", "[]", "{}", '{"host": 1}'])
def test_settings_that_cannot_be_read_are_an_error(
    text: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "simulator.json"
    if text is not None:
        path.write_text(text)
    monkeypatch.setenv(PATH_VARIABLE, str(path))
    with pytest.raises(NotReadyError):
        load()


def test_a_command_is_found_by_the_name_it_was_started_as(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        commands.main(["/usr/local/bin/pacslab-ris", "--help"])
    assert ended.value.code == 0
    assert "pacslab-ris" in capsys.readouterr().out
    assert commands.main(["/usr/local/bin/unknown"]) == 2


@pytest.mark.parametrize("program", ["pacslab-ehr", "pacslab-ris"])
def test_every_verb_has_a_function_an_example_and_json(
    program: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commands, "leave_out_numpy", lambda: None)  # "serve" would keep it from the tests that follow
    verbs: tuple[Verb, ...] = importlib.import_module(f"simulators.{program.removeprefix('pacslab-')}.cli").VERBS
    for verb in verbs:
        place, _, name = verb.run.partition(":")
        assert callable(getattr(importlib.import_module(place), name))
        with pytest.raises(SystemExit):
            commands.main([program, verb.name, "--help"])
        shown = capsys.readouterr().out
        assert f"{program} {verb.example}" in shown
        assert "--json" in shown


def test_help_imports_neither_dicom_nor_the_database() -> None:
    code = (
        "import sys; from simulators.commands import main\n"
        "try: main(['pacslab-ris', '--help'])\n"
        "except SystemExit: pass\n"
        "sys.exit(any(name in sys.modules for name in ('pydicom', 'pynetdicom', 'psycopg', 'hl7')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False, stdout=subprocess.DEVNULL).returncode == 0


def served(arguments: object, settings: Settings) -> Result:
    del arguments
    return Result({"name": settings.host.name}, "text", 1)


def lost(arguments: object, settings: Settings) -> Result:
    raise NotFoundError(f"{arguments}", remedy=settings.host.name)


@pytest.mark.parametrize(("verb", "code"), [("served", 1), ("lost", 2)])
def test_a_command_prints_json_and_ends_with_its_code(
    verb: str, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command_line, "become_service_user", lambda _: None)
    monkeypatch.setattr(command_line, "load", ris_settings)
    verbs = [Verb(name, name, f"{__name__}:{name}", name) for name in ("served", "lost")]
    assert command_line.run("x", "x", "x", verbs, [verb, "--json"]) == code
    printed = json.loads(capsys.readouterr().out)
    assert printed == {"name": "ris1"} if verb == "served" else printed["error"] == "NotFoundError"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root becomes another user")
def test_root_becomes_the_services_user_or_stops() -> None:
    code = "import os; from simulators.identity import become_service_user as b; b('daemon'); print(os.getresuid())"
    ended = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert ended.stdout.startswith("(1, 1, 1)")
    with pytest.raises(NotReadyError):
        become_service_user("no-such-user")


# --- TLS ------------------------------------------------------------------------------------------


def identity(lab: Path, host: str = "ehr1") -> Settings:
    folder = pki_folder(lab)
    own = folder / "hosts" / host
    settings = ris_settings()
    trust = Trust(folder / "ca.crt", folder / "crl.pem", {"hl7": Certificate(own / "hl7.crt", own / "hl7.key")})
    return Settings(settings.host, settings.site, trust, settings.listen, settings.peers, settings.callers)


@pytest.fixture
def tls_server(pki: Path) -> Iterator[int]:
    """Answer one MLLP message after another as ris1, asking for certificates of the site."""
    folder = pki_folder(pki)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "hosts/ris1/hl7-edge.crt", folder / "hosts/ris1/hl7-edge.key")
    context.load_verify_locations(folder / "ca.crt")
    context.verify_mode = ssl.CERT_REQUIRED
    listener = mllp.Listener(0, lambda message, _: [message], behind_proxy=False)
    listener.socket = context.wrap_socket(listener.socket, server_side=True, do_handshake_on_connect=False)
    threading.Thread(target=listener.serve_forever, daemon=True).start()
    yield listener.server_address[1]
    listener.stop()


def test_a_message_passes_over_mutual_tls(pki: Path, tls_server: int) -> None:
    context = client_context(identity(pki), "hl7")
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2
    assert mllp.send(loopback_peer(tls_server, service="hl7-tls"), context, b"hello") == b"hello"


def test_a_server_of_another_name_is_not_believed(pki: Path, tls_server: int) -> None:
    other = replace(loopback_peer(tls_server, service="hl7-tls"), identity="hl7-service.vna1.imaging.internal")
    with pytest.raises(TlsRefusedError, match="CERTIFICATE_VERIFY_FAILED"):
        mllp.send(other, client_context(identity(pki), "hl7"), b"hello")


def test_a_client_without_a_certificate_is_told_why(pki: Path, tls_server: int) -> None:
    context = ssl.create_default_context(cafile=pki_folder(pki) / "ca.crt")
    with pytest.raises(TlsRefusedError):
        mllp.send(loopback_peer(tls_server, service="hl7-tls"), context, b"hello")


def test_a_revoked_server_is_not_believed(tmp_path: Path) -> None:
    ensure_pki(committed_site("reference"), tmp_path)
    folder = pki_folder(tmp_path)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(folder / "hosts/ris1/hl7-edge.crt", folder / "hosts/ris1/hl7-edge.key")
    revoke(tmp_path, "ris1", "hl7-edge")
    listener = mllp.Listener(0, lambda message, _: [message], behind_proxy=False)
    listener.socket = server.wrap_socket(listener.socket, server_side=True, do_handshake_on_connect=False)
    listener.start()
    with pytest.raises(TlsRefusedError, match="CERTIFICATE_VERIFY_FAILED"):
        mllp.send(
            loopback_peer(listener.server_address[1], service="hl7-tls"),
            client_context(identity(tmp_path), "hl7"),
            b"hello",
        )
    listener.stop()


def test_a_missing_file_or_certificate_is_said(pki: Path, tmp_path: Path) -> None:
    good = identity(pki)
    with pytest.raises(NotReadyError, match="no certificate dicom-client"):
        client_context(good, "dicom-client")
    trust = Trust(good.tls.ca, tmp_path / "none.pem", good.tls.certificates)
    with pytest.raises(NotReadyError, match=r"none\.pem"):
        client_context(Settings(good.host, good.site, trust, {}, (), ()), "hl7")


HOSTILE = "A\x1b[2J\x9b\u202e\nB\x7f"


def test_nothing_that_is_printed_acts_on_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [{"name": HOSTILE, "age": 3}]
    show(Result(rows, f"above\n{table(rows, ['name', 'age'])}"), as_json=False)
    fail(ArgumentError(HOSTILE, remedy=HOSTILE), as_json=False)
    text = capsys.readouterr()
    show(Result(rows, ""), as_json=True)
    data = capsys.readouterr().out
    shown = text.out + text.err + data
    assert all(character == "\n" or character.isprintable() for character in shown)
    assert "A\\x1b[2J\\x9b\\u202e\\nB\\x7f  3" in text.out.splitlines(), "a value stays on its line"
    assert json.loads(data)[0]["name"] == HOSTILE

"""What takes the security off a host fits what the roles configure, and leaves none where it has been."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from lab.bench import plain
from lab.bench.plain import MODULE, ports, take_off
from lab.bench.programs import plain_host
from lab.engine.execute import Completed
from lab.errors import EngineError
from lab.hospital.errors import HospitalError
from tests.unit.roles.rendered import REFERENCE, files_of

if TYPE_CHECKING:
    from pathlib import Path

TOLD = {
    "ports": ports(REFERENCE),
    "addresses": {name: str(host.address) for name, host in REFERENCE.hosts.items()},
    "module": "def apply(): ...\n",
}


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A host's files, where the program looks for them."""
    for name in ("SIMULATOR", "ARCHIVE"):
        monkeypatch.setattr(plain_host, name, tmp_path / f"{name.lower()}.json")
    packages = tmp_path / "lib" / "python3.13" / "site-packages"
    packages.mkdir(parents=True)
    monkeypatch.setattr(plain_host, "LIBRARIES", tmp_path / "lib")
    monkeypatch.setattr(plain_host, "run", lambda *_: None)
    return tmp_path


def test_every_application_behind_an_edge_is_called_on_its_own_port() -> None:
    found = ports(REFERENCE)
    assert found["pacs-rad"] == {
        edge: REFERENCE.services("pacs-rad")[behind].port for edge, behind in plain.BEHIND.items()
    }
    assert set(found["ris1"]) == {"dicom-tls", "hl7-tls"}
    assert found["ws-rad1"] == {}


def test_a_scanner_calls_its_peers_where_their_applications_listen(host: Path) -> None:
    rendered = files_of(REFERENCE, "ct1", "simulators")["/etc/pacslab/simulator.json"].text
    plain_host.SIMULATOR.write_text(rendered, "utf-8")
    plain_host.simulator(TOLD)
    called = {
        (peer["name"], peer["service"]): peer["port"] for peer in json.loads(plain_host.SIMULATOR.read_text())["peers"]
    }
    assert called["pacs-rad", "dicom-tls"] == REFERENCE.services("pacs-rad")["dicom"].port
    assert called["ris1", "dicom-tls"] == REFERENCE.services("ris1")["dicom"].port
    packages = host / "lib" / "python3.13" / "site-packages"
    assert (packages / "pacslab_plain.pth").read_text() == "import pacslab_plain; pacslab_plain.apply()\n"
    assert (packages / "pacslab_plain.py").read_text() == TOLD["module"]


def test_an_archive_takes_and_opens_connections_without_an_edge(host: Path) -> None:
    del host
    plain_host.ARCHIVE.write_text(files_of(REFERENCE, "pacs-rad", "orthanc")["/etc/orthanc/pacslab.json"].text, "utf-8")
    plain_host.archive(TOLD)
    settings = json.loads(plain_host.ARCHIVE.read_text("utf-8"))
    peers = settings["DicomModalities"]
    assert (peers["ct1"]["Host"], peers["ct1"]["Port"]) == ("10.24.41.11", REFERENCE.services("ct1")["dicom"].port)
    assert (peers["vna1"]["Host"], peers["vna1"]["Port"]) == ("10.24.70.11", REFERENCE.services("vna1")["dicom"].port)
    assert (peers["ws-rad1"]["Host"], peers["ws-rad1"]["Port"]) == ("10.24.30.11", 1)
    assert "sslmode=disable&hostaddr=10.24.65.11" in settings["PostgreSQL"]["ConnectionUri"]
    assert "verify" not in settings["PostgreSQL"]["ConnectionUri"]
    assert (settings["AuthenticationEnabled"], settings["RemoteAccessAllowed"]) == (False, True)


def test_a_database_believes_addresses(host: Path) -> None:
    rules = host / "pg_hba.conf"
    rules.write_text(files_of(REFERENCE, "db1", "postgresql")["/etc/postgresql/17/main/pg_hba.conf"].text, "utf-8")
    plain_host.database(rules)
    lines = [line.split() for line in rules.read_text("utf-8").splitlines() if not line.startswith("#")]
    assert ["host", "pacs_rad", "pacs_rad", "10.24.60.11/32", "trust"] in lines
    assert not any("cert" in line or line[0] == "hostssl" for line in lines)


def test_a_database_of_its_own_host_alone_stays_as_it_is(host: Path) -> None:
    rules = host / "pg_hba.conf"
    before = files_of(REFERENCE, "siem1", "postgresql")["/etc/postgresql/17/main/pg_hba.conf"].text
    rules.write_text(before, "utf-8")
    plain_host.database(rules)
    assert rules.read_text("utf-8") == before


@pytest.mark.parametrize("kind", ["archive", "database"])
def test_what_has_another_form_is_told(host: Path, kind: str) -> None:
    other = host / "archive.json"
    other.write_text(json.dumps({"DicomModalities": {}, "PostgreSQL": {"ConnectionUri": "postgresql://x"}}), "utf-8")
    with pytest.raises(ValueError, match="another form"):
        plain_host.archive(TOLD) if kind == "archive" else plain_host.database(other)


class Clone:
    """Stands in for a lab: takes the program on every host, or refuses it."""

    site, name = REFERENCE, "reference-plain"

    def __init__(self, code: int = 0) -> None:
        """End with this code."""
        self.code = code
        self.told: dict[str, Any] = {}

    def run(self, host: str, argv: list[str], *, input: bytes, **_: Any) -> Completed:  # noqa: A002
        """Take the program."""
        assert input == plain.PROGRAM.read_bytes()
        self.told[host] = json.loads(argv[-1])
        return Completed(self.code, "", "no such file")


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Archives that do not answer, by host."""
    silent: list[str] = []

    def count(archive: Any, _: str) -> int:
        if archive.host in silent:
            raise HospitalError("no", remedy="")
        return 0

    monkeypatch.setattr(plain, "TAKEN_WITHIN", 0.1)
    monkeypatch.setattr(plain, "Archive", lambda _, host: SimpleNamespace(host=host, count=lambda level: count(
        SimpleNamespace(host=host), level)))  # fmt: skip
    return silent


@pytest.mark.usefixtures("answers")
def test_the_security_is_taken_off_every_host() -> None:
    clone = Clone()
    take_off(cast("Any", clone))
    assert set(clone.told) == set(REFERENCE.managed)
    assert clone.told["ct1"]["module"] == MODULE.read_text("utf-8")


@pytest.mark.usefixtures("answers")
def test_a_host_that_is_not_as_it_is_known_is_told() -> None:
    with pytest.raises(EngineError, match="was not taken off: no such file"):
        take_off(cast("Any", Clone(1)))


def test_an_archive_that_does_not_come_back_is_told(answers: list[str]) -> None:
    answers.append("vna1")
    with pytest.raises(EngineError, match="vna1 does not answer"):
        take_off(cast("Any", Clone()))

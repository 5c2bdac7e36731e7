"""The collector's lines become events of the repository, each once, whatever is killed in between."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from simulators.siem.lines.worth import Sieve
from tests.unit.simulators.siem.repository import ROOT, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.unit.simulators.siem.repository import Services


def refusal(number: int, host: str = "fw1") -> str:
    data = {
        "time": "2026-01-05T09:12:44.310Z", "action": "connect", "outcome": "refused", "reason": "no-flow",
        "peer": "10.24.99.11", "target": "10.24.60.11", "protocol": "tcp", "port": number, "source_zone": "guest",
    }  # fmt: skip
    return line(host, "ulogd", "ZDENY", data)


def line(host: str, program: str, message: str, data: dict[str, Any] | None = None) -> str:
    read = {"time": "2026-01-05T09:12:44.310Z", "host": host, "program": program, "pid": "1", "message": message}
    return json.dumps(read | ({"data": data} if data else {})) + "\n"


class Lines:
    """The service, over a folder of its own."""

    def __init__(self, services: Services, folder: Path) -> None:
        """Begin."""
        self.services, self.folder, self.state = services, folder / "log", folder / "state"
        self.folder.mkdir()
        self.state.mkdir()
        (folder / "site.json").write_text(json.dumps({"audited": {"ris1": ["orthanc.service"]}}))
        self.site = folder / "site.json"
        self.write("fw1", line("fw1", "cron", "before the first start"))
        self.start()

    def start(self) -> None:
        """Begin it again."""
        self.process = subprocess.Popen(
            [sys.executable, "-m", "simulators.siem.lines.serve", str(self.services.core_path), str(self.site)],
            cwd=ROOT,
            env={
                **os.environ, "PYTHONPATH": str(ROOT), "STATE_DIRECTORY": str(self.state),
                "PACSLAB_LINES": str(self.folder),
            },
        )  # fmt: skip
        wait_until((self.state / "lines.json").exists, "nothing is noted")

    def kill(self, sign: signal.Signals = signal.SIGKILL) -> None:
        """End it, and wait for that."""
        self.process.send_signal(sign)
        self.process.wait(20)

    def write(self, host: str, *lines: str) -> None:
        """Write lines as the collector does."""
        with (self.folder / f"{host}.jsonl").open("a", encoding="utf-8") as file:
            file.write("".join(lines))

    def ports(self) -> list[int]:
        """The ports of the refusals that are stored, in their order."""
        rows = self.services.rows("SELECT fields FROM siem.events WHERE host = 'fw1' ORDER BY position")
        return [fields["destination.port"] for (fields,) in rows if "destination.port" in fields]


@pytest.fixture
def lines(services: Services, tmp_path: Path) -> Iterator[Lines]:
    lines = Lines(services, tmp_path)
    yield lines
    lines.kill()


def test_a_refused_packet_is_an_event_of_the_host_that_refused_it(lines: Lines) -> None:
    lines.write("fw1", line("fw1", "cron", "nothing"), refusal(22))
    wait_until(lambda: lines.ports() == [22], "no event")
    ((fields, raw),) = lines.services.rows("SELECT fields, siem.message(position) FROM siem.events WHERE host = 'fw1'")
    assert fields["event.dataset"] == "pacslab.event"
    assert fields["observer.name"] == "fw1"
    assert json.loads(bytes(raw))["program"] == "ulogd"


def test_nothing_is_lost_or_told_twice_whatever_is_killed(lines: Lines) -> None:
    expected = []
    for number in range(1, 241):
        lines.write("fw1", refusal(number))
        expected.append(number)
        if number % 80 == 20:
            lines.kill()
            lines.start()
        if number % 80 == 50:
            lines.services.kill("core")
            lines.services.start("core")
    wait_until(lambda: len(lines.ports()) >= len(expected), "not all have come", 60)
    assert lines.ports() == expected
    assert lines.services.rows("SELECT * FROM siem.gaps") == []


def test_a_stop_notes_how_far_it_has_got(lines: Lines) -> None:
    lines.write("fw1", refusal(1))
    wait_until(lambda: lines.ports() == [1], "no event")
    lines.kill(signal.SIGTERM)
    assert lines.process.returncode == 0
    lines.write("fw1", refusal(2))
    lines.start()
    wait_until(lambda: lines.ports() == [1, 2], "no event")


def test_what_becomes_an_audit_message_is_left_to_it() -> None:
    sieve = Sieve({"ris1": ["orthanc.service"]})
    signed = {"action": "sign-in", "outcome": "success", "person": "a.rivera"}
    known = {host: line(host, "pacslab-ris", "{...", signed).encode() for host in ("ris1", "ehr1")}
    assert sieve.event(known["ris1"], 0.0) is None
    assert sieve.event(known["ehr1"], 0.0) is not None
    packet = sieve.event(refusal(22, "ris1").encode(), 0.0)
    assert packet is not None
    assert packet[1]["event.reason"] == "no-flow"


@pytest.mark.parametrize(
    ("host", "message", "kept"),
    [
        ("ris1", "Stopped orthanc.service - Lightweight, RESTful DICOM server.", False),
        ("ris1", "orthanc.service: Failed with result 'signal'.", False),
        ("ris1", "Stopped target multi-user.target - Multi-User System.", False),
        ("ris1", "orthanc.service: Scheduled restart job, restart counter is at 3.", True),
        ("ris1", "Stopped systemd-journald.service - Journal Service.", True),
        ("ehr1", "Stopped orthanc.service - Lightweight, RESTful DICOM server.", True),
    ],
)
def test_a_unit_of_which_an_audit_message_tells_is_told_once(host: str, message: str, kept: object) -> None:
    text = json.dumps({**json.loads(line(host, "systemd", message)), "pid": "1"})
    assert (Sieve({"ris1": ["orthanc.service"]}).event(text.encode(), 0.0) is not None) is kept


@pytest.mark.parametrize("text", ["", "{", "[]", "7", '{"host": 7}', '{"host": "fw1"}', line("fw1", "cron", "x")])
def test_what_says_nothing_becomes_no_event(text: str) -> None:
    assert Sieve({}).event(text.encode(), 0.0) is None

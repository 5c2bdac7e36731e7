"""A command's events reach the host's log, a service's the journal, and nothing else does."""

from __future__ import annotations

import json
import logging
import socket
import threading
import warnings
from typing import TYPE_CHECKING, Any

import pytest

from simulators import command_line
from simulators.command_line import Result, Verb
from simulators.errors import ArgumentError, NotReadyError, RefusedError
from simulators.events import outlets
from simulators.events.actions import START, STORE
from simulators.events.outlets import send_to_journal
from simulators.events.report import EVENTS, performing, write_event
from tests.unit.simulators.peers import ris_settings

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator
    from pathlib import Path

    from simulators.settings import Settings


@pytest.fixture
def host_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """What listens at /dev/log."""
    path = tmp_path / "log"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(path))
        listener.settimeout(2)
        monkeypatch.setattr(outlets, "SOCKET", path)
        yield listener


def accession(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--accession")


def storing(_: argparse.Namespace, __: Settings) -> Result:
    with performing(STORE, transaction="RAD-8", peer="pacs-rad", accession="A0000001", study=None) as known:
        known["instances"] = 12
    return Result({}, "")


def refused(_: argparse.Namespace, __: Settings) -> Result:
    with performing(STORE, transaction="RAD-8", accession="A0000001"):
        raise RefusedError("the archive does not want Weber^Anna", remedy="y")


def mistaken(_: argparse.Namespace, __: Settings) -> Result:
    raise ArgumentError("Weber^Anna is no patient", remedy="y")


def broken(_: argparse.Namespace, __: Settings) -> Result:
    raise KeyError("Weber^Anna")


def unready(_: argparse.Namespace, __: Settings) -> Result:
    raise NotReadyError("cannot listen on 127.0.0.1:11112", remedy="Stop the other process.")


def command(name: str, monkeypatch: pytest.MonkeyPatch) -> int:
    """Run a verb of this module as the command pacslab-modality."""
    monkeypatch.setattr(command_line, "become_service_user", lambda _: None)
    monkeypatch.setattr(command_line, "load", ris_settings)
    verbs = [Verb(name, name, f"{__name__}:{name}", name, accession)]
    return command_line.run("pacslab-modality", "x", "x", verbs, [name, "--accession", "A0000001"])


def received(host_log: socket.socket) -> tuple[str, dict[str, Any]]:
    """The only line: what syslog adds in front, and the event."""
    head, _, text = host_log.recv(65536).decode().rstrip("\0").partition(": ")
    host_log.setblocking(False)  # noqa: FBT003 - the standard library's signature
    with pytest.raises(BlockingIOError):
        host_log.recv(65536)
    event: dict[str, Any] = json.loads(text)
    return head, event


def test_a_command_tells_the_hosts_log_what_it_did_and_who_started_it(
    host_log: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outlets, "_user", lambda: "rita")
    assert command("storing", monkeypatch) == 0
    head, event = received(host_log)
    assert head.startswith("<134>pacslab-modality[")  # facility local0, severity informational
    assert list(event.items())[1:] == [
        ("action", "store"),
        ("outcome", "success"),
        ("transaction", "RAD-8"),
        ("user", "rita"),
        ("accession", "A0000001"),
        ("peer", "pacs-rad"),
        ("instances", 12),
    ]


@pytest.mark.parametrize(
    ("verb", "expected"),
    [
        ("refused", {"action": "store", "outcome": "refused", "reason": "refused-by-peer", "error": "RefusedError"}),
        ("mistaken", {"action": "command", "outcome": "failed", "reason": "argument", "verb": "mistaken"}),
        ("unready", {"action": "command", "reason": "not-ready", "detail": "cannot listen on 127.0.0.1:11112"}),
    ],
)
def test_what_does_not_succeed_leaves_one_event_too_and_no_name(
    verb: str, expected: dict[str, str], host_log: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert command(verb, monkeypatch) != 0
    head, event = received(host_log)
    assert head.startswith("<132>")  # a warning
    assert {**expected, "accession": "A0000001"}.items() <= event.items()


def test_a_programs_own_mistake_is_told_by_where_it_is(
    host_log: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(KeyError):
        command("broken", monkeypatch)
    head, event = received(host_log)
    assert head.startswith("<131>")  # an error
    assert {"reason": "internal-error", "error": "KeyError"}.items() <= event.items()
    assert event["trace"][-1].startswith("events/test_outlets.py:")


def test_a_command_works_where_there_is_no_hosts_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(outlets, "SOCKET", tmp_path / "none")
    assert command("storing", monkeypatch) == 0
    assert capsys.readouterr().err == ""


def test_a_hosts_log_that_does_not_answer_costs_a_line_and_not_the_command(
    host_log: socket.socket, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    host_log.close()
    assert command("storing", monkeypatch) == 0
    (warning,) = capsys.readouterr().err.splitlines()
    assert '"accession": "A0000001"' in warning


@pytest.fixture
def journal(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A service's process, with everything put back afterwards."""
    monkeypatch.setenv("JOURNAL_STREAM", "8:1")
    root, ours, hook = list(logging.getLogger().handlers), list(EVENTS.handlers), threading.excepthook
    yield
    logging.getLogger().handlers[:], EVENTS.handlers[:], threading.excepthook = root, ours, hook
    logging.captureWarnings(capture=False)


def lines(capsys: pytest.CaptureFixture[str]) -> list[tuple[str, dict[str, Any]]]:
    """What stands in the journal: the priority and the event of each line."""
    said = capsys.readouterr()
    assert said.err == ""
    return [(line[:3], json.loads(line[3:])) for line in said.out.splitlines()]


@pytest.mark.usefixtures("journal")
def test_a_service_tells_the_journal(capsys: pytest.CaptureFixture[str]) -> None:
    send_to_journal()
    write_event(START, hl7=12575)
    ((priority, event),) = lines(capsys)
    assert (priority, event["action"], event["hl7"]) == ("<6>", "start", 12575)


@pytest.mark.usefixtures("journal")
def test_what_a_library_says_becomes_an_event_without_its_text(capsys: pytest.CaptureFixture[str]) -> None:
    send_to_journal()
    logging.getLogger("pydicom").warning("Invalid value for VR PN: %r", "Weber^Anna")
    warnings.warn("Invalid value for VR PN: 'Weber^Anna'", UserWarning, stacklevel=1)
    told = [event for _, event in lines(capsys)]
    assert [(event["action"], event["reason"], event["library"]) for event in told] == [
        ("warn", "library-warning", "pydicom"),
        ("warn", "library-warning", "py.warnings"),
    ]


@pytest.mark.usefixtures("journal")
def test_an_error_that_ends_a_thread_is_an_event(capsys: pytest.CaptureFixture[str]) -> None:
    def work() -> None:
        raise ValueError("Weber^Anna")

    send_to_journal()
    thread = threading.Thread(target=work, name="follow")
    thread.start()
    thread.join()
    ((priority, event),) = lines(capsys)
    assert priority == "<3>"
    assert (event["action"], event["worker"], event["error"]) == ("work", "follow", "ValueError")


@pytest.mark.usefixtures("journal")
@pytest.mark.parametrize("verb", ["mistaken", "broken", "unready"])
def test_a_service_that_cannot_start_prints_nothing_else(
    verb: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    send_to_journal()
    monkeypatch.setattr(outlets, "SOCKET", outlets.Path("/nonexistent"))
    assert command(verb, monkeypatch) != 0
    ((_, event),) = lines(capsys)
    assert (event["action"], event["verb"]) == ("command", verb)

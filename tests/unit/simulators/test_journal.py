"""Every transaction leaves one line in the host's log, with numbers and without names, however it ends."""

from __future__ import annotations

import logging
import socket
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from simulators import command_line, journal
from simulators.command_line import Result, Verb
from simulators.errors import ArgumentError, NotFoundError, RefusedError
from simulators.image_manager.forward import Follower, SeriesSender
from simulators.image_manager.reconcile import Reconciler
from simulators.image_manager.store import Store
from simulators.modality import acquisition, deliver
from simulators.modality.commitment import wait_for
from simulators.modality.server import listen
from simulators.modality.spool import COMPLETED, Spool
from tests.unit.simulators.image_manager.archive import FakeOrthanc, image
from tests.unit.simulators.modality.peers import open_hospital
from tests.unit.simulators.peers import ANNA, ris_settings

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
        monkeypatch.setattr(journal, "SOCKET", path)
        yield listener


def accession(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--accession")


def storing(_: argparse.Namespace, __: Settings) -> Result:
    with journal.transaction("RAD-8", "stored", peer="pacs-rad", accession="A0000001", study=None) as known:
        known["instances"] = 12
    return Result({}, "")


def refused(_: argparse.Namespace, __: Settings) -> Result:
    with journal.transaction("RAD-8", "stored", accession="A0000001"):
        raise RefusedError("the archive does not want Weber^Anna", remedy="y")


def mistaken(_: argparse.Namespace, __: Settings) -> Result:
    raise ArgumentError("Weber^Anna is no patient", remedy="y")


def command(name: str, monkeypatch: pytest.MonkeyPatch) -> int:
    """Run a verb of this module as the command pacslab-modality."""
    monkeypatch.setattr(command_line, "become_service_user", lambda _: None)
    monkeypatch.setattr(command_line, "load", ris_settings)
    verbs = [Verb(name, name, f"{__name__}:{name}", name, accession)]
    return command_line.run("pacslab-modality", "x", "x", verbs, [name, "--accession", "A0000001"])


def test_a_command_writes_its_transactions_to_the_hosts_log(
    host_log: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "_user", lambda: "rita")
    assert command("storing", monkeypatch) == 0
    line = host_log.recv(4096).decode().rstrip("\0")
    assert line.startswith("<134>pacslab-modality[")  # facility local0, severity informational
    assert line.endswith(
        "]: transaction=RAD-8 action=stored peer=pacs-rad accession=A0000001 instances=12 outcome=success user=rita"
    )


@pytest.mark.parametrize(
    ("verb", "expected"),
    [
        ("refused", "transaction=RAD-8 action=stored accession=A0000001 outcome=refused error=RefusedError"),
        ("mistaken", "action=mistaken accession=A0000001 outcome=failed error=ArgumentError"),
    ],
)
def test_what_does_not_succeed_leaves_one_line_too_and_no_name(
    verb: str, expected: str, host_log: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert command(verb, monkeypatch) != 0
    line = host_log.recv(4096).decode()
    assert line.startswith("<132>")  # a warning
    assert set(expected.split()) <= set(line.split())
    assert "Weber" not in line
    host_log.setblocking(False)  # noqa: FBT003 - the standard library's signature
    with pytest.raises(BlockingIOError):
        host_log.recv(4096)


def test_a_command_works_where_there_is_no_hosts_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(journal, "SOCKET", tmp_path / "none")
    assert command("storing", monkeypatch) == 0
    assert capsys.readouterr().err == ""


def test_a_hosts_log_that_does_not_answer_costs_a_line_and_not_the_command(
    host_log: socket.socket, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    host_log.close()
    assert command("storing", monkeypatch) == 0
    (warning,) = capsys.readouterr().err.splitlines()
    assert "accession=A0000001" in warning


def test_a_modality_tells_every_transaction_of_an_order(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "pacslab")
    spool = Spool(tmp_path)
    with ExitStack() as stack:
        hospital = open_hospital(stack)
        server = listen(spool, "CT1", 0, ["PACSRAD"])
        stack.callback(server.shutdown)
        hospital.archive.modality_port = server.server_address[1]
        step = acquisition.begin(hospital.links, spool, accession="ACC1", step_id="", commit=True)
        acquisition.acquire(hospital.links, spool, step, images=2, phantom=True)
        hospital.stop_archive()
        deliver.store_images(hospital.links, spool, spool.instances(step.uid))
        hospital.start_archive()
        deliver.store_images(hospital.links, spool, spool.instances(step.uid))
        deliver.report_end(hospital.links, spool, acquisition.end(spool, step, COMPLETED))
        with pytest.raises(RefusedError):
            deliver.report_end(hospital.links, spool, spool.steps()[0])
        transaction = deliver.request_commitment(hospital.links, spool, step)
        assert transaction is not None
        wait_for(spool, transaction, 5)
    lines = [one for one in caplog.text.splitlines() if "transaction=" in one]
    told = [(_fact(one, "transaction"), _fact(one, "outcome")) for one in lines]
    assert told[:6] == [
        ("RAD-5", "success"),
        ("RAD-6", "success"),
        ("RAD-8", "failed"),
        ("RAD-8", "success"),
        ("RAD-7", "success"),
        ("RAD-7", "refused"),
    ]
    assert told[6:] == [("RAD-10", "success")] * 2  # asked and answered
    assert all(_fact(one, "accession") == "ACC1" for one in lines)
    assert all(_fact(one, "study") == step.study for one in lines[1:])
    assert str(acquisition.item_of(step).PatientName).split("^")[0] not in caplog.text


def test_an_image_manager_tells_which_study_came_and_went(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "pacslab")
    orthanc = FakeOrthanc()
    store, archive = Store(tmp_path), orthanc.archive(tmp_path)
    picture = image(ANNA, "1.2.3")
    picture.AccessionNumber = "A1"
    orthanc.store(picture)
    follower = Follower(store, archive, Reconciler(store, archive, tmp_path, "pacs-rad"), ("vna1",))
    follower.follow()
    orthanc.target_away = True
    SeriesSender(store, archive, "vna1").run_due()
    with store.transaction() as db:
        db.execute("UPDATE transfers SET next_try = ?", (time.time(),))
    orthanc.target_away = False
    SeriesSender(store, archive, "vna1").run_due()
    assert "images-arrived accession=A1 study=1.2.3" in caplog.text
    assert "refused reason=transfer-failed target=vna1 accession=A1 study=1.2.3" in caplog.text
    assert "archived target=vna1 accession=A1 study=1.2.3" in caplog.text


def test_an_error_is_told_once() -> None:
    error = NotFoundError("x", remedy="y")
    with pytest.raises(NotFoundError), journal.transaction("RAD-14", "queried"):
        raise error
    assert error.noted


def _fact(line: str, name: str) -> str:
    return next((part.partition("=")[2] for part in line.split() if part.startswith(f"{name}=")), "")

"""What is kept beside a lab: its record, its lock, what is configured, its forwards and snapshots."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from lab.engine.lab import Lab
from lab.engine.lock import BusyError, locked
from lab.engine.record import HostRecord, LabRecord, load_record
from lab.errors import UsageError
from lab.events import Bus, Event, HostPhase, Phase
from lab.operate import background_forwards, snapshot
from lab.operate.configured import Configured
from lab.operate.inputs import tree_digest
from lab.settings import Settings
from lab.state_file import DamagedFileError


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(inventories=tmp_path / "inventories", roles=tmp_path / "roles", state=tmp_path / "state")


def record(name: str = "one") -> LabRecord:
    return LabRecord(name, "reference", "/x/topology.yml", {"ct1": HostRecord("modality-ct", "10.24.41.11", ["dicom"])})


def test_a_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    record().save(tmp_path)
    assert load_record(tmp_path) == record()


def test_a_folder_without_record_is_no_lab(tmp_path: Path) -> None:
    assert load_record(tmp_path) is None


@pytest.mark.parametrize("text", ["", "[]", '{"lab": "x"}', '{"hosts": {"a": {}}}'])
def test_a_damaged_record_says_how_to_go_on(text: str, tmp_path: Path) -> None:
    (tmp_path / "lab.json").write_text(text)
    with pytest.raises(DamagedFileError) as error:
        load_record(tmp_path)
    assert "pacslab up" in error.value.remedy
    assert "down" not in error.value.remedy  # it may well run


def test_opening_a_lab_that_is_not_there_says_how_to_bring_it_up(settings: Settings) -> None:
    with pytest.raises(UsageError) as error:
        Lab.open("one", settings)
    assert "pacslab up --lab one" in error.value.remedy


def test_a_host_that_is_not_there_is_refused_with_those_that_are(settings: Settings) -> None:
    record().save(settings.lab_folder("one"))
    with pytest.raises(UsageError) as error:
        Lab.open("one", settings).run("ct9", ["id"])
    assert "ct1" in error.value.remedy


@pytest.mark.parametrize("name", ["", "../x", "UPPER", "1st", "a b", "a" * 40, "snapshots", "cache"])
def test_names_that_cannot_be_labs_are_refused(name: str, settings: Settings) -> None:
    with pytest.raises(UsageError):
        settings.lab_folder(name)


def test_a_lab_that_is_held_is_refused_with_the_holders_process_id(settings: Settings) -> None:
    with locked(settings.state, "one"), pytest.raises(BusyError) as error, locked(settings.state, "one"):
        pass
    assert str(os.getpid()) in error.value.message


def test_two_labs_can_be_held_at_once_and_one_again_later(settings: Settings) -> None:
    with locked(settings.state, "one"), locked(settings.state, "two"):
        pass
    with locked(settings.state, "one"):
        pass


def test_the_lock_of_a_killed_process_is_free(settings: Settings) -> None:
    script = (
        "import os, signal, sys, pathlib\nfrom lab.engine.lock import locked\n"
        "with locked(pathlib.Path(sys.argv[1]), 'one'):\n os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", script, str(settings.state)], check=False)
    assert done.returncode == -9
    with locked(settings.state, "one"):
        pass


def test_a_host_made_anew_or_described_otherwise_is_not_configured(tmp_path: Path) -> None:
    Configured(tmp_path).note({"ct1": ("c1", "d1")})
    known = Configured(tmp_path)
    assert known.holds("ct1", "c1", "d1")
    assert not known.holds("ct1", "c2", "d1")
    assert not known.holds("ct1", "c1", "d2")
    assert not known.holds("ct2", "c1", "d1")


def test_a_host_that_was_brought_what_is_new_holds_it_and_one_that_lacked_something_still_does(tmp_path: Path) -> None:
    Configured(tmp_path).note({"ct1": ("c1", "old"), "ct2": ("c2", "older")})
    Configured(tmp_path).follow({"ct1": "old", "ct2": "old"}, {"ct1": "new", "ct2": "new"})
    known = Configured(tmp_path)
    assert known.holds("ct1", "c1", "new")
    assert known.holds("ct2", "c2", "older")


def test_a_damaged_list_of_what_is_configured_means_that_nothing_is(tmp_path: Path) -> None:
    (tmp_path / "configured.json").write_text("{")
    assert not Configured(tmp_path).any


def test_the_digest_of_a_folder_follows_names_content_and_modes(tmp_path: Path) -> None:
    one = tmp_path / "one"
    one.mkdir()
    (one / "file").write_text("a")
    seen = {tree_digest(one)}
    (one / "file").write_text("b")
    seen.add(tree_digest(one))
    (one / "file").chmod(0o755)
    seen.add(tree_digest(one))
    (one / "file").rename(one / "other")
    seen.add(tree_digest(one))
    assert len(seen) == 4
    (one / "__pycache__").mkdir()
    (one / "__pycache__" / "x.pyc").write_text("x")
    assert tree_digest(one) in seen


def test_a_forward_whose_process_is_another_by_now_is_not_alive_and_not_killed(tmp_path: Path) -> None:
    background_forwards.note(tmp_path, background_forwards.BackgroundForward(os.getpid(), "0", 1234, "ct1", 104, "ws1"))
    assert not background_forwards.load_all(tmp_path)[0].alive
    assert background_forwards.stop_all(tmp_path) == []
    assert background_forwards.load_all(tmp_path) == []


def test_stopping_a_forward_ends_its_process(tmp_path: Path) -> None:
    with subprocess.Popen(["sleep", "60"]) as process:
        background_forwards.note(
            tmp_path,
            background_forwards.BackgroundForward(
                process.pid, background_forwards.start_of(process.pid), 1234, "ct1", 104, "ws1"
            ),
        )
        assert background_forwards.stop_all(tmp_path, local=1) == []
        assert background_forwards.stop_all(tmp_path, local=1234) == [1234]
        assert process.wait(10) == -15


def keep(settings: Settings) -> None:
    folder = settings.snapshot_folder("monday")
    (folder / "site").mkdir(parents=True)
    (folder / "site" / "topology.yml").write_text("site: reference\n")
    (folder / "secrets.json").write_text("{}")
    kept = {"name": "monday", "site": "reference", "lab": "one", "at": 1.0, "images": {"ct1": "sha256:1"}}
    (folder / "snapshot.json").write_text(json.dumps(kept))


def test_a_clone_has_the_secrets_description_and_images_of_its_snapshot(settings: Settings) -> None:
    keep(settings)
    snapshot.prepare_clone(settings, "monday", "two")
    made = load_record(settings.lab_folder("two"))
    assert made is not None
    assert (made.site, made.snapshot, made.images) == ("reference", "monday", {"ct1": "sha256:1"})
    assert Path(made.topology).read_text() == "site: reference\n"
    assert (settings.lab_folder("two") / "secrets.json").exists()


def test_neither_snapshot_nor_clone_carries_anothers_runs(settings: Settings, tmp_path: Path) -> None:
    folder = settings.lab_folder("one")
    record("one").save(folder)
    for path in ("pki/root.key", "pki/.lock", "runs/1.json", "ansible/artifacts/last/stdout", "forwards/1.json"):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text("of one")
    for name in ("secrets.json", "configured.json", "run.jsonl", ".lock", "anything"):
        (folder / name).write_text("of one")
    snapshot.copy_kept(folder, tmp_path / "kept")
    files = {str(path.relative_to(tmp_path / "kept")) for path in (tmp_path / "kept").rglob("*") if path.is_file()}
    assert files == {"pki/root.key", "secrets.json"}
    assert (tmp_path / "kept").stat().st_mode & 0o777 == 0o700


def test_a_clone_of_an_older_snapshot_leaves_the_runs_in_it(settings: Settings) -> None:
    keep(settings)
    for name in ("runs", "ansible", "forwards"):
        (settings.snapshot_folder("monday") / name).mkdir()
    (settings.snapshot_folder("monday") / "run.jsonl").touch()
    snapshot.prepare_clone(settings, "monday", "two")
    assert {path.name for path in settings.lab_folder("two").iterdir()} == {"secrets.json", "site", "lab.json"}


def test_a_clone_never_replaces_a_lab(settings: Settings) -> None:
    keep(settings)
    record("two").save(settings.lab_folder("two"))
    with pytest.raises(UsageError):
        snapshot.prepare_clone(settings, "monday", "two")


def test_a_snapshot_that_is_not_there_is_refused_with_those_that_are(settings: Settings) -> None:
    keep(settings)
    with pytest.raises(UsageError) as error:
        snapshot.load(settings, "tuesday")
    assert "monday" in error.value.remedy


def test_events_reach_every_subscriber_in_order() -> None:
    bus, seen = Bus(), list[Event]()
    bus.subscribe(seen.append)
    events = [HostPhase("ct1", phase) for phase in Phase]
    for event in events:
        bus.emit(event)
    assert seen == events


def test_an_event_names_its_type_in_the_log() -> None:
    logged = HostPhase("ct1", Phase.HEALTHY, at=5).as_dict()
    assert logged == {"event": "host_phase", "at": 5, "host": "ct1", "phase": "healthy", "detail": ""}

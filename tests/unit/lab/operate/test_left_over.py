"""``doctor`` finds everything that a lab can leave behind, each with the command that clears it."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import pytest

from lab.engine import names
from lab.engine.record import HostRecord, LabRecord
from lab.operate import background_forwards, left_over, snapshot
from lab.operate.left_over import examine
from lab.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

    from lab.engine.client import Docker
    from lab.engine.images import Images
    from lab.operate.left_over import LeftOver


class Engine:
    """Stands in for Docker: containers and snapshot images by label."""

    # ruff: noqa: D102, D107 # the methods are those of lab.engine.client.Docker and lab.engine.images.Images

    def __init__(self, labs: list[str], tags: list[str]) -> None:
        self.labs, self.tags = labs, tags
        self.labels: dict[str, str] = {}
        self.state = "exited"

    def containers(self, _: str) -> list[dict[str, Any]]:
        return [{"Labels": {names.LAB: lab} | self.labels, "State": self.state} for lab in self.labs]

    def listed(self, _: str) -> list[dict[str, Any]]:
        return [{"RepoTags": [tag], "Labels": self.labels} for tag in self.tags]


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setattr(left_over, "_links", lambda: iter(()))  # the machine's own links are not the test's
    state = tmp_path / "state"
    state.mkdir()
    return Settings(inventories=tmp_path, roles=tmp_path, state=state)


def lab(settings: Settings, name: str) -> Path:
    """The folder of a lab that has its record."""
    LabRecord(name, "site", "/x", {"ct1": HostRecord("z", "10.0.0.1", [])}).save(settings.state / name)
    return settings.state / name


def found(
    settings: Settings,
    *,
    labs: tuple[str, ...] = (),
    tags: tuple[str, ...] = (),
    folder: str = "",
    state: str = "exited",
) -> list[LeftOver]:
    engine = Engine(list(labs), list(tags))
    engine.labels, engine.state = {names.FOLDER: folder} if folder else {}, state
    return list(examine(settings, cast("Docker", engine), cast("Images", engine)))


def test_a_lab_that_runs_and_has_its_files_leaves_nothing_over(settings: Settings) -> None:
    lab(settings, "one")
    assert found(settings, labs=("one", "one")) == []


def test_containers_without_files_are_counted_and_cleared_by_down(settings: Settings) -> None:
    (only,) = found(settings, labs=("gone", "gone"))
    assert (only.kind, only.name, only.clear) == ("containers", "gone", "pacslab down --lab gone")
    assert "2 containers" in only.why


def test_a_lab_whose_files_are_in_another_state_is_nobody_s_left_over(settings: Settings, tmp_path: Path) -> None:
    other = tmp_path / "other" / "theirs"
    LabRecord("theirs", "site", "/x", {}).save(other)
    assert found(settings, labs=("theirs",), folder=str(other), state="running") == []


@pytest.mark.parametrize("folder", ["", "/no/such/state/lost"])
def test_containers_that_run_are_never_advised_to_be_removed(folder: str, settings: Settings) -> None:
    (only,) = found(settings, labs=("lost",), folder=folder, state="running")
    assert "1 running" in only.why
    assert folder in only.why
    assert "PACSLAB_STATE" in only.clear
    assert "down" not in only.clear


def test_damaged_files_are_named_and_the_others_are_still_looked_at(settings: Settings) -> None:
    folder = lab(settings, "one")
    (folder / "forwards").mkdir()
    (folder / "forwards" / "1.json").write_text("[]")
    background_forwards.note(folder, background_forwards.BackgroundForward(1, "0", 1002, "ct1", 104, "ws1"))
    kept = settings.snapshot_folder("kept")
    kept.mkdir(parents=True)
    (kept / "snapshot.json").write_text('{"name": 1}')
    seen = {(entry.kind.value, entry.name) for entry in found(settings, labs=("one",))}
    assert seen == {("forward", "1.json"), ("forward", "port 1002"), ("snapshot", "kept")}


def test_a_lab_without_containers_can_be_brought_up_or_removed(settings: Settings) -> None:
    lab(settings, "idle")
    (only,) = found(settings)
    assert only.kind == "folder"
    assert "pacslab up --lab idle" in only.clear
    assert "pacslab down --lab idle" in only.clear


def test_a_damaged_record_is_named(settings: Settings) -> None:
    (lab(settings, "broken") / "lab.json").write_text("{")
    (only,) = found(settings, labs=("broken",))
    assert "damaged" in only.why


def test_a_folder_that_is_no_lab_is_named(settings: Settings) -> None:
    (settings.state / "odd").mkdir()
    assert {entry.why for entry in found(settings)} == {"no lab.json in it", "a lab without containers"}


def test_forwards_are_named_when_their_process_or_their_lab_has_ended(settings: Settings) -> None:
    folder = lab(settings, "one")
    start = background_forwards.start_of(os.getpid())
    for local, started in ((1001, "0"), (1002, start)):
        forward = background_forwards.BackgroundForward(os.getpid(), started, local, "ct1", 104, "ws1")
        background_forwards.note(folder, forward)
    running = found(settings, labs=("one",))
    assert [(entry.kind, entry.name) for entry in running] == [("forward", "port 1001")]
    stopped = [entry for entry in found(settings) if entry.kind == "forward"]
    assert [entry.name for entry in stopped] == ["port 1001", "port 1002"]
    assert stopped[1].clear == f"kill {os.getpid()}"


def test_snapshots_and_their_images_are_compared_both_ways(settings: Settings) -> None:
    folder = settings.snapshot_folder("kept")
    folder.mkdir(parents=True)
    images = {"ct1": "sha256:1", names.FABRIC: "sha256:2"}
    kept = {"name": "kept", "site": "s", "lab": "l", "at": 1.0, "images": images}
    (folder / "snapshot.json").write_text(json.dumps(kept))
    assert found(settings, tags=("pacslab/snapshot-kept:ct1",)) == []
    (lost,) = found(settings)
    assert (lost.kind, lost.clear) == ("snapshot", "pacslab snapshot remove kept")
    both = found(settings, tags=("pacslab/snapshot-kept:ct1", "pacslab/snapshot-other:ct1"))
    assert [(entry.kind, entry.name) for entry in both] == [("image", "pacslab/snapshot-other:ct1")]
    (folder.parent / ".half.new").mkdir()
    assert [entry.why for entry in found(settings, tags=("pacslab/snapshot-kept:ct1",))] == [
        "a snapshot that was not finished"
    ]


def test_a_snapshot_of_another_state_is_left_alone_while_it_has_its_record(settings: Settings, tmp_path: Path) -> None:
    kept = tmp_path / "other" / "snapshots" / "theirs"
    kept.mkdir(parents=True)
    (kept / "snapshot.json").write_text("{}")
    tags, folder = ("pacslab/snapshot-theirs:ct1",), str(tmp_path / "other" / "lab")
    assert found(settings, tags=tags, folder=folder) == []
    engine = Engine([], list(tags))
    engine.labels = {names.FOLDER: folder}
    images = cast("Images", engine)
    assert snapshot.kept_elsewhere(settings, images, "theirs") == tmp_path / "other"
    assert snapshot.kept_elsewhere(replace(settings, state=tmp_path / "other"), images, "theirs") is None
    (kept / "snapshot.json").unlink()
    assert [entry.name for entry in found(settings, tags=tags, folder=folder)] == list(tags)

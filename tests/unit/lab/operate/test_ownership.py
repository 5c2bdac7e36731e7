"""Two states on one engine: each is told whose a lab is, and neither takes the other's for its own."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

import pytest

from lab.cli import doctor, status
from lab.engine import names
from lab.engine.record import HostRecord, LabRecord
from lab.errors import UsageError
from lab.operate import left_over
from lab.operate.ownership import ForeignLabError, open_own, others
from lab.settings import Settings
from tests.unit.lab.cli.command import run_verb

if TYPE_CHECKING:
    from pathlib import Path

    from lab.engine.client import Docker


class Engine:
    """Stands in for Docker: the containers of labs, each with the folder that its lab's files are in."""

    def __init__(self, folders: dict[str, Path]) -> None:
        """Run these labs."""
        self.folders = folders

    def containers(self, label: str) -> list[dict[str, Any]]:
        """Those with a label."""
        _, _, wanted = label.partition("=")
        return [
            {"Labels": {names.LAB: lab, names.FOLDER: str(folder)}, "State": "running"}
            for lab, folder in self.folders.items()
            if wanted in {"", lab}
        ]

    def listed(self, _: str) -> list[dict[str, Any]]:
        """No images."""
        return []


def state(path: Path, *labs: str) -> Settings:
    """A state folder with labs."""
    path.mkdir()
    for lab in labs:
        LabRecord(lab, "site", "/x", {"ct1": HostRecord("z", "10.0.0.1", [])}).save(path / lab)
    return Settings(inventories=path, roles=path, state=path)


@pytest.fixture
def both(tmp_path: Path) -> tuple[Settings, Settings, Docker]:
    """State A with labs one and shared, B with two and shared; the containers of shared are of B."""
    first, second = state(tmp_path / "A", "one", "shared"), state(tmp_path / "B", "two", "shared")
    folders = {"one": first.state / "one", "two": second.state / "two", "shared": second.state / "shared"}
    return first, second, cast("Docker", Engine(folders))


def test_each_state_opens_its_own_labs_and_is_told_whose_the_others_are(
    both: tuple[Settings, Settings, Docker],
) -> None:
    first, second, docker = both
    assert open_own("one", first, docker).folder == first.state / "one"
    assert open_own("shared", second, docker).folder == second.state / "shared"
    for name in ("two", "shared"):  # of one it has no files, of the other it has some of the same name
        with pytest.raises(ForeignLabError) as refused:
            open_own(name, first, docker)
        assert str(second.state / name) in refused.value.message
        assert f"PACSLAB_STATE={second.state}" in refused.value.remedy
    with pytest.raises(UsageError, match="no lab 'none'"):
        open_own("none", first, docker)


def test_the_labs_of_another_state_are_named_with_their_folders(both: tuple[Settings, Settings, Docker]) -> None:
    first, second, docker = both
    assert others(docker, first.state) == {name: second.state / name for name in ("shared", "two")}
    assert others(docker, second.state) == {"one": first.state / "one"}


@pytest.fixture
def here(both: tuple[Settings, Settings, Docker], monkeypatch: pytest.MonkeyPatch) -> tuple[Settings, Settings]:
    """The verbs, in state A."""
    first, second, docker = both
    for module in (status, doctor):
        monkeypatch.setattr(module, "Docker", lambda: docker)
        monkeypatch.setattr(module, "load_settings", lambda: first)
    monkeypatch.setattr(doctor, "Images", lambda: docker)
    monkeypatch.setattr(left_over, "_links", lambda: iter(()))
    return first, second


def test_status_of_a_lab_of_another_state_says_whose_it_is(
    here: tuple[Settings, Settings], capsys: pytest.CaptureFixture[str]
) -> None:
    _, second = here
    for name in ("two", "shared"):
        ran = run_verb(capsys, "status", "--lab", name, "--json")
        assert ran.code == 2
        assert str(second.state / name) in json.loads(ran.out or ran.err)["message"]


def test_doctor_names_the_labs_of_another_state_and_leaves_them_alone(
    here: tuple[Settings, Settings], capsys: pytest.CaptureFixture[str]
) -> None:
    _, second = here
    told = run_verb(capsys, "doctor", "--json").json
    assert told["left_over"] == []
    assert {entry["lab"]: entry["folder"] for entry in told["others"]} == {
        name: str(second.state / name) for name in ("two", "shared")
    }
    said = run_verb(capsys, "doctor").out
    assert f"not of this state: lab two, whose files are in {second.state / 'two'}" in said

"""A hospital's work is measured to its end, on both sides in turn, and nothing counts that did not arrive."""

from __future__ import annotations

from contextlib import contextmanager
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from lab.bench import workflow
from lab.bench.workflow import bench_workflow, carry_through
from lab.errors import EngineError
from lab.hospital.workday import Volume

if TYPE_CHECKING:
    from collections.abc import Iterator


class Day:
    """Stands in for the work of people: all of it is done at once, or a study is missing."""

    missing = 0

    def __init__(self, lab: Any, volume: Volume, prefix: str, _: object) -> None:
        """Remember what there is to do."""
        self.lab, self.volume, self.prefix = lab, volume, prefix
        self.staff = SimpleNamespace(archive="pacs-rad")
        self.read: dict[str, dict[str, str]] = {}

    def work(self, until: int) -> None:
        """Do it."""
        self.lab.worked.append((self.prefix, until))
        self.read = {f"A{number}": {} for number in range(until - self.missing)}

    def progress(self) -> str:
        """How far it is."""
        return f"{len(self.read)} studies read"


class Hospital:
    """A lab, and what it has: the images of all that was worked, less what its archives lose."""

    def __init__(self, name: str = "reference", lost: int = 0) -> None:
        """Nothing was done yet."""
        self.name, self.lost = name, lost
        self.worked: list[tuple[str, int]] = []
        self.removed: list[tuple[str, str]] = []


@pytest.fixture(autouse=True)
def stand_ins(monkeypatch: pytest.MonkeyPatch) -> None:
    class Archive:
        """An archive of a lab."""

        def __init__(self, lab: Hospital, host: str) -> None:
            """Of a host."""
            self.lab, self.host = lab, host

        def count(self, _: str, *, PatientID: str) -> int:  # noqa: N803 # the keyword of the standard
            """How many images of a work it has."""
            done = sum(orders for prefix, orders in self.lab.worked if PatientID == f"{prefix}*")
            return done * workflow.IMAGES - self.lab.lost

        def remove_studies(self, *, PatientID: str) -> None:  # noqa: N803 # likewise
            """Forget a work."""
            self.lab.removed.append((self.host, PatientID))

    monkeypatch.setattr(workflow, "Workday", Day)
    monkeypatch.setattr(workflow, "Archive", Archive)
    monkeypatch.setattr(workflow, "Hospital", lambda _: SimpleNamespace(sends_on_to=lambda _: ["vna1"]))
    monkeypatch.setattr(workflow, "ARRIVES_WITHIN", 0.1)
    monkeypatch.setattr(Day, "missing", 0)


VOLUME = Volume(orders=3, images=workflow.IMAGES)


def test_work_is_carried_to_its_end_and_its_images_are_removed() -> None:
    lab = Hospital()
    assert carry_through(cast("Any", lab), VOLUME) < 1
    ((prefix, orders),) = lab.worked
    assert orders == 3
    assert lab.removed == [("pacs-rad", f"{prefix}*"), ("vna1", f"{prefix}*")]


def test_work_that_came_to_no_end_is_no_measurement(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Day, "missing", 1)
    lab = Hospital()
    with pytest.raises(EngineError, match="came to no end: 2 studies read"):
        carry_through(cast("Any", lab), VOLUME)
    assert lab.removed


def test_an_image_that_does_not_arrive_is_told_with_the_archives_counts() -> None:
    with pytest.raises(EngineError, match="pacs-rad 119, vna1 119"):
        carry_through(cast("Any", Hospital(lost=1)), VOLUME)


def test_both_sides_do_the_same_work_in_turn_and_the_hour_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    lab, clone, taken_off = Hospital(), Hospital("reference-plain"), cast("list[Hospital]", [])

    @contextmanager
    def trial(_settings: object, _lab: object, purpose: str, _bus: object) -> Iterator[Hospital]:
        assert purpose == "plain"
        yield clone

    monkeypatch.setattr(workflow, "trial_lab", trial)
    monkeypatch.setattr(workflow, "take_off", taken_off.append)
    said: list[str] = []
    (figure,) = bench_workflow(cast("Any", None), cast("Any", lab), 2, said.append)
    assert taken_off == [clone]
    assert [orders for _, orders in lab.worked] == [orders for _, orders in clone.worked] == [
        workflow.WARMING, workflow.ORDERS, workflow.ORDERS,
    ]  # fmt: skip
    assert (len(figure.seconds), figure.aim) == (2, None)
    assert figure.amounts == {"orders": 40, "images": 1600}
    assert figure.as_dict()["ratio_is"] == "peer's seconds / seconds"
    assert said[0].startswith("warming up")

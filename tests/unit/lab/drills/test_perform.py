"""A drill passes when its fault is noticed, repaired and nothing is lost; each of these can fail it."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from lab.drills import perform as performing
from lab.drills.model import Count, Drill, Noticed, Repair
from lab.drills.perform import perform
from lab.drills.registry import chosen, drills
from lab.drills.subject import Subject
from lab.drills.unfit import UnfitError
from lab.engine.health import HostHealth, ServiceHealth
from lab.errors import EngineError, UsageError
from lab.results.model import Outcome
from lab.topology.load import site_names
from tests.unit.site_builder import committed_site

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lab.drills.scene import Scene
    from lab.engine.lab import Lab
    from lab.results.model import Result

SITE = committed_site("reference")


@dataclass
class Hospital:
    """Stands in for a lab with one host, which is unhealthy from its fault until its repair."""

    broken: bool = False
    heals: bool = True
    site: Any = SITE
    brought_up: int = 0

    def health(self) -> dict[str, HostHealth]:
        """As the host is."""
        return {"ct1": HostHealth("running", (ServiceHealth("storage", not self.broken, "full"),))}

    @contextmanager
    def fault(self, _: Scene) -> Iterator[None]:
        """Break it."""
        self.broken = True
        yield

    def repair(self, _: Scene) -> None:
        """Mend it, where it can be."""
        self.broken = not self.heals


@dataclass
class Work:
    """Counts as it was told to."""

    counts: Sequence[Count]
    phases: list[str] = field(default_factory=list)

    def send(self, scene: Scene, phase: str) -> None:
        """Note the phase, and whether the host was unhealthy in it."""
        self.phases.append(f"{phase} {'ill' if scene.unhealthy() else 'well'}")

    def count(self, scene: Scene) -> Sequence[Count]:
        """What was to be counted."""
        del scene
        return self.counts


GOOD = (Count("lines", 3, 3),)


def drilled(hospital: Hospital, counts: Sequence[Count] = GOOD, **changed: Any) -> tuple[Result, Work]:
    """What comes of a drill at one host."""
    work = Work(counts)
    parts: dict[str, Any] = {
        "subjects": lambda _: [Subject("ct1", "/var")],
        "fault": hospital.fault,
        "noticed": Noticed("status names it", 0.3, lambda scene: scene.unhealthy()),
        "repair": Repair("by hand", 0.3, hospital.repair),
        "loads": lambda _site, _subject: [work],
        "counted": "lines",
        "settles": 0.3,
        **changed,
    }
    (result,) = perform([Drill("drill.trial", "A trial", **parts)], cast("Lab", hospital), lambda _: None)
    return result, work


@pytest.fixture(autouse=True)
def bring_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """`up` repairs whatever there is."""

    def repaired(hospital: Hospital, _: object) -> SimpleNamespace:
        def run() -> None:
            hospital.broken, hospital.brought_up = False, hospital.brought_up + 1

        return SimpleNamespace(run=run)

    def cut(hospital: Hospital, _: str) -> None:
        hospital.broken = True

    monkeypatch.setattr(performing, "LabBringUp", repaired)
    monkeypatch.setattr(performing, "cut_power", cut)
    monkeypatch.setattr(performing, "HEALTHY_WITHIN", 0.2)
    monkeypatch.setattr(performing, "SETTLES_WITHIN", 0.2)
    monkeypatch.setattr(performing, "PAUSE", 0.05)


def test_a_fault_that_is_noticed_and_repaired_without_loss_passes() -> None:
    result, work = drilled(Hospital())
    assert result.outcome is Outcome.PASSED
    assert work.phases == ["before well", "during ill", "after well"]
    assert result.facts["noticed_after"] < 0.3
    assert "3 of 3 lines" in result.observed


def test_a_fault_that_nobody_is_told_of_fails() -> None:
    result, _ = drilled(Hospital(), noticed=Noticed("a line", 0.2, lambda _: ""))
    assert result.outcome is Outcome.FAILED
    assert "not noticed within 0.2 s: a line" in result.remedy


def test_work_that_takes_long_does_not_put_off_what_is_noticed() -> None:
    class Slow(Work):
        """Takes its time while the fault is there."""

        def send(self, scene: Scene, phase: str) -> None:
            super().send(scene, phase)
            if phase == "during":
                time.sleep(0.5)

    result, _ = drilled(Hospital(), loads=lambda _site, _subject: [Slow(GOOD)])
    assert result.facts["noticed_after"] < 0.3


def test_a_hospital_that_stays_ill_fails_and_is_brought_up_for_the_next_drill() -> None:
    hospital = Hospital(heals=False)
    result, _ = drilled(hospital)
    assert result.outcome is Outcome.FAILED
    assert "not healthy within 0.3 s: ct1: storage full" in result.remedy
    assert hospital.brought_up == 1


@pytest.mark.parametrize(
    "count",
    [Count("lines", 3, 2), Count("lines", 3, 3, twice=1), Count("lines", 3, 3, broken=1), Count("changes", 0, 1)],
    ids=str,
)
def test_what_is_lost_doubled_broken_or_too_much_fails(count: Count) -> None:
    result, _ = drilled(Hospital(), [count])
    assert result.outcome is Outcome.FAILED
    assert str(count) in result.remedy


def test_what_arrives_late_but_in_time_is_counted() -> None:
    class Arriving(Work):
        """There at the third look."""

        def count(self, scene: Scene) -> Sequence[Count]:
            del scene
            self.phases.append("looked")
            return [Count("lines", 1, int(self.phases.count("looked") > 2))]

    result, _ = drilled(Hospital(), loads=lambda _site, _subject: [Arriving(())])
    assert result.outcome is Outcome.PASSED


def test_a_fault_that_cannot_be_made_is_not_judged() -> None:
    def unfit(_: Scene) -> None:
        raise UnfitError("nothing runs there")

    result, _ = drilled(Hospital(), fault=unfit)
    assert (result.outcome, result.reason) == (Outcome.NOT_APPLICABLE, "nothing runs there")


@pytest.mark.parametrize("error", [EngineError("no", remedy="look"), KeyError("x")])
def test_a_drill_that_goes_wrong_itself_is_an_error_and_the_next_goes_on(error: Exception) -> None:
    def fails(_: Scene) -> None:
        raise error

    hospital = Hospital()
    result, _ = drilled(hospital, fault=fails)
    assert result.outcome is Outcome.ERROR
    assert drilled(hospital)[0].outcome is Outcome.PASSED


def test_no_fault_is_made_in_a_lab_that_cannot_be_brought_up(monkeypatch: pytest.MonkeyPatch) -> None:
    hospital, tried = Hospital(broken=True), []

    def fails(_: object, __: object) -> SimpleNamespace:
        def run() -> None:
            tried.append(1)
            raise EngineError("no engine", remedy="Start it.")

        return SimpleNamespace(run=run)

    monkeypatch.setattr(performing, "LabBringUp", fails)
    result, work = drilled(hospital, subjects=lambda _: [Subject("ct1", "/var"), Subject("ct1", "/srv")])
    assert (result.outcome, result.remedy) == (Outcome.ERROR, "Start it.")
    assert "cannot be brought up" in result.reason
    assert (work.phases, tried) == ([], [1])


def test_a_site_without_subjects_is_not_judged() -> None:
    result, _ = drilled(Hospital(), subjects=lambda _: [])
    assert result.outcome is Outcome.NOT_APPLICABLE


def test_every_drill_has_an_id_of_its_own_and_subjects_on_the_reference_site() -> None:
    assert {"drill.full-log-disk", "drill.full-disk", "drill.kill-host", "drill.kill-service", "drill.kill-up"} <= set(
        drills()
    )
    for drill in drills().values():
        assert drill.id.startswith("drill.")
        assert list(drill.subjects(SITE)), drill.id


def test_every_host_every_service_and_twenty_moments_are_killed() -> None:
    known = drills()
    assert {subject.host for subject in known["drill.kill-host"].subjects(SITE)} == set(SITE.hosts)
    units = {(host, service.unit) for host in SITE.hosts for service in SITE.services(host).values()}
    assert {(subject.host, subject.part) for subject in known["drill.kill-service"].subjects(SITE)} == {
        (host, unit) for host, unit in units if unit.endswith(".service")
    }
    assert len(list(known["drill.kill-up"].subjects(SITE))) == 20


@pytest.mark.parametrize("name", site_names())
def test_every_drill_can_be_asked_about_every_site(name: str) -> None:
    site = committed_site(name)
    for drill in drills().values():
        for subject in drill.subjects(site):
            assert subject.host in site.hosts
            assert list(drill.loads(site, subject))


def test_an_unknown_drill_is_refused_with_those_that_there_are() -> None:
    assert [drill.id for drill in chosen(["kill-host", "drill.kill-up"])] == ["drill.kill-host", "drill.kill-up"]
    with pytest.raises(UsageError) as error:
        chosen(["flood"])
    assert "drill.full-disk" in error.value.remedy


def test_a_fault_that_is_not_taken_away_ends_with_its_host_and_does_not_reach_the_next_drill() -> None:
    @contextmanager
    def stays(_: Scene) -> Iterator[None]:
        yield
        raise EngineError("target is busy.", remedy="none")

    hospital = Hospital()
    drill = Drill(
        "drill.trial", "A trial", subjects=lambda _: [Subject("ct1", "/var"), Subject("ct1", "/srv")], fault=stays,
        noticed=Noticed("at once", 0.3, lambda _: "seen"), repair=Repair("by hand", 0.3, lambda _: None),
        loads=lambda _site, _subject: [], counted="nothing", settles=0.1,
    )  # fmt: skip
    results = list(perform([drill], cast("Lab", hospital), lambda _: None))
    assert [result.outcome for result in results] == [Outcome.ERROR, Outcome.ERROR]
    assert hospital.brought_up == 1

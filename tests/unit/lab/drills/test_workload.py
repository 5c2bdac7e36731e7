"""What a hospital's systems keep of its work is compared with what was asked for and acknowledged, at each of them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from lab.drills import workload
from lab.drills.cases import load
from lab.drills.cases.load import RESTARTS, Restart, Restarts
from lab.drills.registry import chosen, sized
from lab.drills.scene import Scene
from lab.drills.subject import Subject
from lab.drills.workload import WORKDAY, Work
from lab.errors import EngineError, UsageError
from lab.hospital.modality import Images, PerformedStep, Queue
from lab.hospital.workday import Acquired, Volume, Workday
from tests.unit.site_builder import committed_site

SITE = committed_site("reference")
NUMBERS = (1, 2, 3, 4)


class Kept:
    """What the systems keep: everything once, until a test takes something away or doubles it."""

    def __init__(self) -> None:
        """Four orders of two images."""
        self.record = [
            {"patient_id": f"L{number}", "placer": f"O{number}", "accession": f"A{number}", "status": "performed"}
            for number in NUMBERS
        ]
        self.ris = [
            {"accession": f"A{number}", "placer": f"O{number}", "status": "completed", "steps": 1, "images": 2}
            for number in NUMBERS
        ]
        self.archives = {
            host: {uid: uid for number in NUMBERS for uid in uids(number)} for host in ("pacs-rad", "vna1")
        }
        self.surplus = dict.fromkeys(self.archives, 0)
        self.committed = dict.fromkeys(NUMBERS, 2)
        self.logs = [ended(number) for number in NUMBERS]
        self.compared = 0

    def rows(self, _: object, host: str, query: str, *, prefix: str) -> list[dict[str, Any]]:
        """Answer a database's query."""
        assert "starts_with" in query
        assert prefix == "L"
        return {"ehr1": self.record, "ris1": self.ris}[host]


def uids(number: int) -> list[str]:
    return [f"1.{number}.1", f"1.{number}.2"]


def ended(number: int, **changed: Any) -> dict[str, Any]:
    data = {"action": "update-step", "outcome": "success", "accession": f"A{number}", **changed}
    return {"message": f"ended {number}", "data": data}


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> Kept:
    kept = Kept()

    class Archive:
        """An archive of the hospital."""

        def __init__(self, _: object, host: str) -> None:
            """Of a host."""
            self.host = host

        def count(self, level: str, *, PatientID: str) -> int:  # noqa: N803 # the keyword of the standard
            """How many it has."""
            assert (level, PatientID) == ("Instance", "L*")
            return len(kept.archives[self.host]) + kept.surplus[self.host]

        def pixels(self, *studies: str) -> dict[str, str]:
            """What they hold."""
            kept.compared += 1
            return {uid: held for uid, held in kept.archives[self.host].items() if uid.rpartition(".")[0] in studies}

    monkeypatch.setattr(workload, "Archive", Archive)
    monkeypatch.setattr(workload, "rows", kept.rows)
    return kept


@pytest.fixture
def scene(kept: Kept) -> Scene:
    """After the work: four orders, all on ct1, each acquired and read."""

    def ask(host: str, _: object, kind: object, **__: object) -> Queue:
        assert kind is Queue
        steps = [
            PerformedStep(
                uid=f"2.{number}",
                accession=f"A{number}",
                instances=2,
                states=Images(acquired=0, stored=0, committed=committed),
                commitment="committed",
            )
            for number, committed in kept.committed.items()
            if host == "ct1"
        ]
        return Queue(totals=Images(acquired=0, stored=0, committed=0), steps=steps)

    hospital = SimpleNamespace(
        lab=None,
        site=SITE,
        ask=ask,
        host=lambda _: "ris1",
        sends_on_to=lambda _: ["vna1"],
        collected=SimpleNamespace(since=lambda host, _: kept.logs if host == "ct1" else []),
    )
    scene = Scene(cast("Any", hospital), Subject("pacs-rad"), lambda _: None)
    day = Workday(cast("Any", SimpleNamespace(site=SITE)), Volume(4, 2), "L", lambda _: None)
    day.placed = {f"L{number}": f"O{number}" for number in NUMBERS}
    for number in NUMBERS:
        acquired = Acquired(accession=f"A{number}", study=f"1.{number}", digests={uid: uid for uid in uids(number)})
        day.acquired[f"A{number}"], day.scanner[f"A{number}"] = acquired, "ct1"
        day.read[f"A{number}"] = dict(acquired.digests)
    scene.facts[WORKDAY] = day
    return scene


def wrong(scene: Scene, work: Work | None = None) -> list[str]:
    """The counts that are not as they have to be."""
    work = work or Work()
    work.marks = {"ct1": {}, "ct2": {}}
    return [str(count) for count in work.count(scene) if not count.good]


def test_work_of_which_every_system_has_all_is_good(scene: Scene) -> None:
    work = Work()
    assert wrong(scene, work) == []
    told = [count.what for count in work.count(scene)]
    for system in ("ehr1", "ris1", "ct1", "us1", "pacs-rad", "vna1", "ws-rad1", "ws-tech1", "siem1"):
        assert any(system in what for what in told), system


def test_an_order_that_the_record_lost_or_has_twice_is_seen(scene: Scene, kept: Kept) -> None:
    lost = kept.record.pop()
    assert wrong(scene) == ["3 of 4 orders performed at ehr1"]
    kept.record += [lost, {**lost, "placer": "O9"}]
    assert wrong(scene) == ["4 of 4 orders performed at ehr1 (1 twice)"]


def test_a_procedure_that_the_ris_lost_or_performed_twice_is_seen(scene: Scene, kept: Kept) -> None:
    kept.ris[0]["status"], kept.ris[1]["steps"] = "in progress", 2
    assert wrong(scene) == [
        "3 of 4 procedures completed at ris1 (1 twice)", "6 of 8 images that steps name at ris1",
    ]  # fmt: skip


def test_an_image_for_which_nobody_answers_is_seen(scene: Scene, kept: Kept) -> None:
    kept.committed[2] = 1
    assert wrong(scene) == ["7 of 8 images at ct1 for which the archive answers"]


def test_an_image_that_an_archive_lost_changed_or_has_twice_is_seen(scene: Scene, kept: Kept) -> None:
    lost = kept.archives["vna1"].popitem()
    assert wrong(scene) == ["7 of 8 images at vna1"]
    kept.archives["vna1"][lost[0]] = "other pixels"
    assert wrong(scene) == ["7 of 8 images at vna1, as acquired"]
    kept.archives["vna1"][lost[0]] = lost[1]
    kept.surplus["pacs-rad"] = 1
    assert wrong(scene) == ["8 of 8 images at pacs-rad, as acquired (1 twice)"]


def test_pixels_are_compared_once_while_nothing_arrives(scene: Scene, kept: Kept) -> None:
    work = Work()
    wrong(scene, work)
    compared = kept.compared
    wrong(scene, work)
    assert kept.compared == compared


def test_a_study_that_was_not_read_whole_is_seen(scene: Scene) -> None:
    day: Workday = scene.facts[WORKDAY]
    day.read["A3"].popitem()
    day.read["A4"]["9.9"] = "of nobody"
    (said,) = wrong(scene)
    assert said.startswith("7 of 8 images read at ws-rad1 (DICOM) and ws-tech1 (DICOMweb)")
    assert said.endswith("(1 twice)")


def test_a_step_that_is_missing_from_the_log_or_there_twice_is_seen(scene: Scene, kept: Kept) -> None:
    kept.logs[0] = ended(1, outcome="waiting")
    assert wrong(scene) == ["3 of 4 steps that ended, in the log at siem1"]
    kept.logs = [ended(number) for number in NUMBERS] + [ended(4)]
    assert wrong(scene) == ["4 of 4 steps that ended, in the log at siem1 (1 twice)"]


def test_a_system_that_does_not_answer_is_not_taken_for_good(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object, **__: object) -> None:
        raise EngineError("db1 does not run", remedy="")

    monkeypatch.setattr(workload, "rows", away)
    assert wrong(scene) == ["0 of 1 what record keep (db1 does not run)", "0 of 1 what ris keep (db1 does not run)"]


# --- the drill --------------------------------------------------------------------------------


def test_archive_ris_database_and_firewall_lose_their_power_in_turn() -> None:
    assert load.hosts(SITE) == ["pacs-rad", "ris1", "db1", "fw1"]
    (subject,) = load.everything(SITE)
    assert str(subject) == "pacs-rad then ris1, db1, fw1"
    assert load.everything(committed_site("small-practice")) == []


def test_each_power_cut_has_to_be_noticed_and_repaired(scene: Scene) -> None:
    scene.facts[RESTARTS] = [Restart(host, 1.0, 20.0) for host in load.hosts(SITE)]
    assert all(count.good for count in Restarts().count(scene))
    scene.facts[RESTARTS][1:3] = [Restart("ris1", None, 20.0), Restart("db1", 1.0, None)]
    assert [(count.found, count.good) for count in Restarts().count(scene)] == [(3, False), (3, False)]


def test_sizes_are_options_of_the_drill_that_has_them() -> None:
    wanted = chosen(["load"])
    assert wanted[0].sizes == {"orders": 500, "images": 40, "matrix": 64}
    assert sized(wanted, ["orders=12", "images=5"]) == {"orders": 12, "images": 5}
    with pytest.raises(UsageError) as error:
        sized(wanted, ["beds=3"])
    assert "images, matrix, orders" in error.value.remedy
    for word in ("orders", "orders=", "orders=0", "orders=-1", "orders=x"):
        with pytest.raises(UsageError, match="no size"):
            sized(wanted, [word])
    with pytest.raises(UsageError, match="has a size 'orders'"):
        sized(chosen(["kill-up"]), ["orders=3"])

"""Every case is tried twice, equal weakenings once; what does not come out as it must is told as such."""

from __future__ import annotations

import threading
import time
from contextlib import nullcontext
from typing import TYPE_CHECKING, NoReturn
from unittest.mock import Mock

from lab.abuse.attempt import Parties, PartyMissingError
from lab.abuse.failure import WeakeningError
from lab.abuse.registry import cases
from lab.abuse.scene import Scene
from lab.abuse.switching import Switching
from lab.abuse.twins import TRIES, Twin, Twins, lanes_of
from lab.errors import EngineError
from lab.results.model import Outcome
from lab.verify.checks.abuse import tally
from tests.unit.lab.abuse.trial import LocalLab, Switch, World, case
from tests.unit.roles.rendered import REFERENCE

if TYPE_CHECKING:
    import pytest

    from lab.abuse.attempt import Tried
    from lab.abuse.model import AbuseCase
    from lab.results.model import Result


def run(monkeypatch: pytest.MonkeyPatch, world: World, *cases: AbuseCase) -> list[Result]:
    """Run cases in a world."""
    monkeypatch.setattr("lab.abuse.twins.Hospital", lambda _: world.hospital())
    monkeypatch.setattr("lab.abuse.halves.DONE_WITHIN", 0.0)
    return list(Twins(LocalLab().lab, lambda _: None).run(cases))


def test_a_case_that_is_stopped_by_its_control_is_proven(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    (result,) = run(monkeypatch, world, case(world))
    assert (result.id, result.outcome, result.host) == ("abuse.trial", Outcome.PASSED, "pacs")
    assert result.observed.startswith("as shipped: refused in words; ")
    assert result.observed.endswith("; without the control: harm was done")
    assert result.facts["switched_off"] == ["the control is off"]
    assert (result.facts["shipped"], result.facts["weakened"]) == (True, True)
    assert world.control


def test_a_weakening_that_does_not_weaken_fails_the_case(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(weakens=False)
    (result,) = run(monkeypatch, world, case(world))
    assert result.outcome is Outcome.FAILED
    assert result.remedy.startswith("The case proves nothing")


def test_a_control_that_is_off_as_shipped_fails_the_case(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(control=False)
    (result,) = run(monkeypatch, world, case(world))
    assert result.outcome is Outcome.FAILED
    assert "pacs let it through" in result.observed
    assert "the world's control" in result.remedy


def test_a_control_that_is_off_fails_the_case_even_where_it_cannot_be_switched_off(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Missing(Switch):
        """What is to be taken out is not there."""

        def applied(self, *_: object) -> NoReturn:
            raise WeakeningError("the file has no such rule", remedy="Fit it.")

    world = World(control=False)
    (result,) = run(monkeypatch, world, case(world, weakenings=(Missing(world),)))
    assert result.outcome is Outcome.FAILED
    world = World()
    (result,) = run(monkeypatch, world, case(world, weakenings=(Missing(world),)))
    assert (result.outcome, result.reason) == (Outcome.ERROR, "the file has no such rule")


def test_cases_with_equal_weakenings_share_them(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    results = run(monkeypatch, world, case(world, "abuse.one"), case(world, "abuse.two"))
    assert [result.outcome for result in results] == [Outcome.PASSED, Outcome.PASSED]
    assert world.applied == 1


def test_a_mistake_of_a_case_is_told_with_its_traceback_and_others_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def mistaken(*_: object) -> str:
        raise KeyError("instance")

    world = World()
    other = case(world, "abuse.other", weakenings=(Switch(world, "another"),))
    first, second = run(monkeypatch, world, case(world, "abuse.mistaken", harm=mistaken), other)
    assert (first.outcome, second.outcome) == (Outcome.ERROR, Outcome.PASSED)
    assert "KeyError" in first.reason
    assert "Traceback" in first.observations[-1].text


def unlucky(world: World, failures: int) -> AbuseCase:
    """A case that cannot be judged the first times, as a service that it needs does not answer."""
    left = [failures]

    def harm(_: Scene, tried: Tried) -> str:
        if left[0]:
            left[0] -= 1
            raise EngineError("the sign-on cannot answer now", remedy="Try again.")
        return "harm was done" if tried.facts["done"] else ""

    return case(world, harm=harm)


def test_a_case_that_other_lanes_disturbed_is_tried_again_but_not_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lab.abuse.twins.Hospital", lambda _: World().hospital())
    for failures, outcome in ((1, Outcome.PASSED), (TRIES - 1, Outcome.PASSED), (TRIES, Outcome.ERROR)):
        switching = Switching()
        world = World()
        twins = Twins(LocalLab().lab, lambda _: None, _switching=switching)
        monkeypatch.setattr(switching, "met", lambda *_: True)
        (result,) = twins.run([unlucky(world, failures)])
        assert result.outcome is outcome, result


def test_a_case_that_nobody_disturbed_is_tried_once(monkeypatch: pytest.MonkeyPatch) -> None:
    (result,) = run(monkeypatch, world := World(), unlucky(world, 1))
    assert (result.outcome, result.reason) == (Outcome.ERROR, "the sign-on cannot answer now")


def test_another_lane_disturbs_while_it_switches_and_shortly_before() -> None:
    switching, began = Switching(), time.monotonic()
    assert not switching.met(0, began)
    with switching.by(0):
        assert not switching.met(0, began)
        assert switching.met(1, began)
    assert switching.met(1, began)
    assert not switching.met(1, time.monotonic() + 1)
    assert not switching.met(0, began)


def test_a_lane_that_is_alone_keeps_others_from_switching() -> None:
    switching, switched = Switching(), threading.Event()

    def switch() -> None:
        with switching.by(1):
            switched.set()

    with switching.alone(0), switching.by(0):
        other = threading.Thread(target=switch)
        other.start()
        assert not switched.wait(0.1)
    assert switched.wait(10)
    other.join()


def test_the_last_try_of_a_disturbed_case_is_made_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lab.abuse.twins.Hospital", lambda _: World().hospital())
    switching, alone = Switching(), Mock(wraps=nullcontext)
    monkeypatch.setattr(switching, "met", lambda *_: True)
    monkeypatch.setattr(switching, "alone", lambda _: alone())
    twins = Twins(LocalLab().lab, lambda _: None, _switching=switching)
    assert [result.outcome for result in twins.run([unlucky(World(), TRIES - 1)])] == [Outcome.PASSED]
    assert alone.call_count == 1


def test_a_control_that_stays_off_ends_what_follows_at_that_target(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    stays_off = case(world, "abuse.one", weakenings=(Switch(world, "stays off", restores=False),))
    later = case(world, "abuse.two", weakenings=(Switch(world, "later"),))
    first, second = run(monkeypatch, world, stays_off, later)
    assert (first.outcome, second.outcome) == (Outcome.ERROR, Outcome.ERROR)
    assert "not switched on again" in second.reason


def test_a_site_without_the_parties_is_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody(_: object) -> Parties:
        raise PartyMissingError("the site has no scanner")

    world = World()
    (result,) = run(monkeypatch, world, case(world, parties=nobody))
    assert (result.outcome, result.reason) == (Outcome.NOT_APPLICABLE, "the site has no scanner")


def test_when_the_run_is_broken_off_the_rest_is_not_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    world, stop = World(), threading.Event()
    stop.set()
    monkeypatch.setattr("lab.abuse.twins.Hospital", lambda _: world.hospital())
    twins = Twins(LocalLab().lab, lambda _: None, _stopped=stop)
    (result,) = twins.run([case(world)])
    assert result.outcome is Outcome.ERROR
    assert "not tried to its end" in result.reason


def test_the_tally_counts_what_applies_and_names_what_is_unproven(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(weakens=False)
    results = run(monkeypatch, world, case(world, "abuse.one"))
    results += run(monkeypatch, World(), case(World(), "abuse.two"))
    assert tally(results)["unproven"] == ["abuse.one"]
    assert tally(results)["cases"] == 2


def test_cases_that_change_the_same_host_follow_each_other() -> None:
    """One whose target is the viewer changes the archive's edge too, as cases at that archive do."""
    twins = [Twin(case, Scene(World().hospital(), case.parties(REFERENCE))) for case in cases().values()]
    lanes = [[twin.case.id for twin in lane] for lane in lanes_of(twins, REFERENCE)]
    (together,) = (lane for lane in lanes if "abuse.viewer-winding-path" in lane)
    assert {"abuse.viewer-foreign-study", "abuse.dicomweb-word"} <= set(together)
    assert sum(len(lane) for lane in lanes) == len(twins)
    assert [lane for lane in lanes if "abuse.sign-on-guessing" in lane] != [together]

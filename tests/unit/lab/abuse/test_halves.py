"""A case holds as shipped by four signs, and is real without its control by its harm."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from lab.abuse import halves
from lab.abuse.failure import require
from lab.abuse.halves import Half, as_shipped, without_control
from lab.abuse.scene import Scene
from tests.unit.lab.abuse.trial import EVENT, PARTIES, World, case

if TYPE_CHECKING:
    import pytest

    from lab.abuse.model import AbuseCase


def shipped(tried: AbuseCase, world: World) -> Half:
    return as_shipped(tried, Scene(world.hospital(), PARTIES))


def test_refused_recorded_without_harm_and_unharmed_is_good() -> None:
    world = World()
    half = shipped(case(world), world)
    assert half.good
    assert half.said == f"refused in words; siem has it: haproxy: {json.dumps(EVENT)}; it works on"


def test_what_was_read_of_the_log_is_kept_as_evidence() -> None:
    world = World()
    scene = Scene(world.hospital(), PARTIES)
    as_shipped(case(world), scene)
    (seen,) = scene.hospital.trail.take()
    assert (seen.source, json.dumps(EVENT) in seen.text) == ("log of pacs at siem", True)


def test_a_control_that_is_off_as_shipped_is_told() -> None:
    world = World(control=False)
    assert shipped(case(world), world) == Half(good=False, said="pacs let it through: in words")


def test_a_refusal_that_is_not_on_record_does_not_count() -> None:
    world = World(lines=[{"program": "haproxy", "message": "something else"}])
    half = shipped(case(world), world)
    assert not half.good
    assert "siem has no a line of pacs with reason wrong" in half.said
    assert "something else" in half.said


def test_harm_in_spite_of_the_refusal_does_not_count() -> None:
    world = World()
    half = shipped(case(world, harm=lambda *_: "the image is there"), world)
    assert half == Half(good=False, said="refused in words, and yet the image is there")


def test_a_service_that_does_not_work_on_does_not_count() -> None:
    def harmed(*_: object) -> str:
        require(condition=False, observed="it is dead")
        return ""

    world = World()
    assert shipped(case(world, unharmed=harmed), world) == Half(good=False, said="it is dead")


def test_without_the_control_the_harm_is_what_counts() -> None:
    world = World(control=False)
    half = without_control(case(world), Scene(world.hospital(), PARTIES))
    assert half == Half(good=True, said="harm was done")


def test_an_attempt_that_is_refused_all_the_same_proves_nothing() -> None:
    world = World()
    half = without_control(case(world), Scene(world.hospital(), PARTIES))
    assert half == Half(good=False, said="still refused in words")


def test_an_attempt_that_is_let_through_without_harm_proves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(halves, "DONE_WITHIN", 0.0)
    world = World(control=False)
    half = without_control(case(world, harm=lambda *_: ""), Scene(world.hospital(), PARTIES))
    assert half == Half(good=False, said="no harm was seen after in words")


def test_where_what_stands_behind_closes_too_the_harm_alone_counts() -> None:
    world = World()
    reached = case(world, harm=lambda *_: "it was reached", closes_anyway=True)
    assert without_control(reached, Scene(world.hospital(), PARTIES)) == Half(good=True, said="it was reached")


def test_what_was_prepared_is_the_same_in_both_halves() -> None:
    scene, made = Scene(World().hospital(), PARTIES), iter(["first", "second"])
    assert scene.once("credential", lambda: next(made)) == scene.once("credential", lambda: next(made)) == "first"
    assert (scene.number(), scene.number()) == (1, 2)

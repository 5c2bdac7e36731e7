"""A scenario holds together when it is made, and says what it asks of a site."""

from __future__ import annotations

import pytest

from lab.errors import UsageError
from lab.hospital.hospital import Actor
from lab.scenarios.model import Step
from tests.unit.lab.scenarios.trial import SCANNER, NoLab, fails, seen, step, trial
from tests.unit.site_builder import committed_site


def test_ids_are_unique_and_needs_are_earlier() -> None:
    with pytest.raises(UsageError, match="more than once: a"):
        trial(step("a", fails), step("a", fails))
    with pytest.raises(UsageError, match="needs b"):
        trial(step("a", fails, "b"), step("b", fails))


@pytest.mark.parametrize("name", ["A", "two words", "a.b", "a--b", "-a", ""])
def test_an_id_that_no_result_id_can_be_made_of_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="cannot be the name"):
        trial(step(name, seen))


def test_it_asks_for_those_who_act_and_for_those_it_names_besides_each_once() -> None:
    scenario = trial(step("a", seen), step("b", seen), also=(Actor("long-term-archive"), SCANNER))
    assert [str(actor) for actor in scenario.actors] == ["acquisition (CT)", "long-term-archive"]
    assert scenario.unfit(NoLab.site) == []


def test_a_site_that_lacks_somebody_is_told_whom() -> None:
    small = committed_site("small-practice")
    scenario = trial(step("a", seen), also=(Actor("order-placer"),), without=("reading",))
    assert scenario.unfit(small) == ["no host is acquisition (CT)", "no host is order-placer", "ws1 is reading"]


def test_a_promise_says_what_is_done_and_what_has_to_be_observed() -> None:
    stored = Step("store", "Images are stored", SCANNER, "RAD-8", "the PACS has them", seen)
    assert stored.promise("trial").text == "Images are stored: the PACS has them."

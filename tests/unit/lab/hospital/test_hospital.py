"""Hosts are found by what they are for, whatever their place in the file; answers are read into types or told."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

import pytest

from lab.engine.execute import Completed
from lab.errors import UsageError
from lab.hospital.answers import Answer, read
from lab.hospital.errors import CommandFailedError, UnexpectedAnswerError
from lab.hospital.hospital import Actor, Hospital
from lab.hospital.trail import CHARACTERS, SOURCES, Trail
from lab.topology.site import Site
from tests.unit.site_builder import committed_site

if TYPE_CHECKING:
    from lab.engine.lab import Lab

REFERENCE = committed_site("reference")


class Told(Answer):
    """What a command tells."""

    name: str
    count: int = 0


class Saying:
    """A lab where every command says the same."""

    def __init__(self, said: str, code: int = 0, site: Site = REFERENCE) -> None:
        """Say it."""
        self.site = site
        self.said = Completed(code, said, "")

    def run(self, _host: str, _argv: list[str], **_: Any) -> Completed:
        """Answer a command."""
        return self.said


def hospital(said: str = "", code: int = 0, site: Site = REFERENCE) -> Hospital:
    return Hospital(cast("Lab", Saying(said, code, site)))


@pytest.mark.parametrize(
    ("actor", "host"),
    [
        (Actor("primary-archive"), "pacs-rad"),
        (Actor("long-term-archive"), "vna1"),
        (Actor("order-filler"), "ris1"),
        (Actor("acquisition", "MR"), "mr1"),
        (Actor("acquisition", "CT"), "ct1"),
    ],
)
def test_the_order_of_the_file_says_nothing(actor: Actor, host: str) -> None:
    turned = REFERENCE.topology.model_copy(
        update={
            "hosts": dict(reversed(REFERENCE.topology.hosts.items())),
            "flows": REFERENCE.topology.flows[::-1],
        }
    )
    assert hospital(site=REFERENCE).host(actor) == host
    assert hospital(site=Site(turned, REFERENCE.catalog, REFERENCE.path)).host(actor) == host


def test_a_function_that_no_host_states_is_told() -> None:
    with pytest.raises(UsageError, match=r"no host with function acquisition \(DX\)"):
        hospital().host(Actor("acquisition", "DX"))


def test_a_station_is_answered_for_by_the_archive_that_it_may_ask() -> None:
    assert hospital().archive_of("ct1") == "pacs-rad"
    with pytest.raises(UsageError, match="ws-rad1 has no archive"):
        hospital().archive_of("ws-rad1")


def test_an_answer_is_read_into_its_type() -> None:
    answer = hospital(json.dumps({"name": "x", "count": 2, "more": 1})).ask("ct1", ["tell"], Told)
    assert (answer.name, answer.count) == ("x", 2)


@pytest.mark.parametrize("said", ["", "not json", "[]", '{"count": 2}', '{"name": "x", "count": "many"}'])
def test_an_answer_of_another_form_is_told_with_what_was_said(said: str) -> None:
    with pytest.raises(UnexpectedAnswerError, match="tell on ct1 answered in another form") as caught:
        hospital(said).ask("ct1", ["tell"], Told)
    assert said[:20] in caught.value.message


def test_a_list_of_answers_is_read_too() -> None:
    assert [told.name for told in read(list[Told], '[{"name": "a"}, {"name": "b"}]', "a test")] == ["a", "b"]


def test_a_command_that_fails_is_told_with_its_own_words() -> None:
    said = json.dumps({"message": "no order A1", "remedy": "List them."})
    with pytest.raises(CommandFailedError, match="show A1 on ris1 ended with 2: no order A1"):
        hospital(said, code=2).ask("ris1", ["show", "A1"], Told)


def test_what_was_read_is_kept_with_its_source() -> None:
    looked_at = hospital('{"name": "x"}')
    looked_at.ask("ct1", ["tell", "me"], Told)
    (read_there,) = looked_at.trail.take()
    assert (read_there.text, read_there.source) == ('{"name": "x"}', "tell me on ct1")
    assert looked_at.trail.take() == ()


def test_a_trail_keeps_the_last_text_of_a_source_and_the_last_sources() -> None:
    trail = Trail()
    for number in range(SOURCES + 3):
        trail.note(str(number), f"source {number}", float(number))
    trail.note("again", f"source {SOURCES}", 99.0)
    kept = trail.take()
    assert len(kept) == SOURCES
    assert kept[0].source == "source 3"
    assert (kept[-1].source, kept[-1].text) == (f"source {SOURCES}", "again")


def test_a_long_text_is_cut_and_says_so() -> None:
    trail = Trail()
    trail.note("x" * (CHARACTERS + 7), "a file", 1.0)
    (kept,) = trail.take()
    assert kept.text.endswith("[... 7 more characters]")

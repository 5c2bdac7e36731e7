"""A plan tells exactly what ``up`` would do, and changes nothing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest

from lab.engine import names
from lab.engine.hosts import Running
from lab.engine.spec import Cgroups
from lab.operate import plan as planning
from lab.operate.configured import Configured
from lab.operate.inputs import digests
from lab.operate.plan import Action, Containers, compare, make_plan, to_configure
from tests.unit.site_builder import committed_site

if TYPE_CHECKING:
    from lab.engine.client import Docker
    from lab.engine.lab import Lab

SITE = committed_site("small-practice")
CGROUPS = Cgroups(1)
FOLDER = Path("/state/x")
IMAGES = {host: "sha256:1" for host in (*SITE.hosts, names.FABRIC)}  # noqa: C420 # one form with what follows
HOST = next(iter(SITE.hosts))


def as_described() -> dict[str, Running]:
    """Containers of the whole lab, running as the description has them."""
    specs = compare("x", SITE, IMAGES, {}, CGROUPS, folder=FOLDER).specs
    return {
        host: Running(id=f"id-{host}", name=spec.name, state="running", pid=7, digest=spec.digest, image="sha256:1")
        for host, spec in specs.items()
    }


def actions(there: dict[str, Running]) -> dict[str, Action]:
    """What is planned for each host that is not simply kept."""
    found = compare("x", SITE, IMAGES, there, CGROUPS, folder=FOLDER).actions
    return {host: action for host, action in found.items() if action is not Action.KEEP}


def test_a_lab_as_described_is_kept() -> None:
    assert actions(as_described()) == {}


def test_a_lab_that_is_not_there_is_made() -> None:
    assert set(actions({}).values()) == {Action.CREATE}
    assert set(actions({})) == {*SITE.hosts, names.FABRIC}


@pytest.mark.parametrize(
    ("change", "action"),
    [({"state": "exited"}, Action.START), ({"digest": "of another description"}, Action.RECREATE)],
)
def test_one_host_that_differs_is_the_only_one_to_act_on(change: dict[str, str], action: Action) -> None:
    there = as_described()
    there[HOST] = replace(there[HOST], **change)  # type: ignore[arg-type] # the parametrised fields are texts
    assert actions(there) == {HOST: action}


def test_a_host_that_is_described_no_longer_is_removed() -> None:
    there = as_described()
    there["gone"] = replace(there[HOST], name="pacslab-x-gone")
    assert actions(there) == {"gone": Action.REMOVE}


def test_an_image_that_changed_makes_its_host_anew() -> None:
    found = compare("x", SITE, {**IMAGES, HOST: "sha256:2"}, as_described(), CGROUPS, folder=FOLDER).actions
    assert {host for host, action in found.items() if action is Action.RECREATE} == {HOST}


def test_containers_say_where_the_files_of_their_lab_are_and_moving_these_makes_none_anew() -> None:
    here, there = (compare("x", SITE, IMAGES, {}, CGROUPS, folder=Path(folder)).specs for folder in ("/a/x", "/b/x"))
    assert {spec.body["Labels"][names.FOLDER] for spec in here.values()} == {"/a/x"}
    assert {host: spec.digest for host, spec in here.items()} == {host: spec.digest for host, spec in there.items()}


def compared(there: dict[str, Running]) -> Containers:
    return compare("x", SITE, IMAGES, there, CGROUPS, folder=FOLDER)


def test_hosts_are_configured_when_made_anew_or_when_what_they_use_has_changed(tmp_path: Path) -> None:
    there = as_described()
    assert to_configure(SITE, tmp_path, there, compared(there)) == list(SITE.hosts)
    wanted = digests(SITE, tmp_path)
    Configured(tmp_path).note({host: (there[host].id, wanted[host]) for host in SITE.hosts})
    assert to_configure(SITE, tmp_path, there, compared(there)) == []
    Configured(tmp_path).note({HOST: (there[HOST].id, "other")})
    assert to_configure(SITE, tmp_path, there, compared(there)) == [HOST]
    Configured(tmp_path).note({HOST: ("an earlier container", wanted[HOST])})
    assert to_configure(SITE, tmp_path, there, compared(there)) == [HOST]


class Wiring:
    """Stands in for the fabric: remembers which hosts were looked at, and names one change."""

    # ruff: noqa: D107

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.changes = ["port of ct1 is missing"]
        self.problems: list[str] = []


def plan_of(folder: Path, there: dict[str, Running], monkeypatch: pytest.MonkeyPatch) -> tuple[planning.Plan, Wiring]:
    """The plan of a lab in a folder, and what the fabric was asked."""
    wiring = Wiring()

    def wire(_docker: object, _lab: str, _site: object, running: dict[str, int], *, apply: bool) -> Wiring:
        assert not apply
        wiring.asked = list(running)
        return wiring

    class Described:
        name, site = "x", SITE

    described = Described()
    described.folder = folder  # type: ignore[attr-defined] # of a lab, the plan asks for these three alone
    monkeypatch.setattr(planning, "wire", wire)
    made = make_plan(cast("Docker", None), cast("Lab", described), there, compared(there), ["base"])
    return made, wiring


def test_links_are_looked_at_for_hosts_that_stay_and_only_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = as_described()
    there[HOST] = replace(there[HOST], state="exited")
    made, wiring = plan_of(tmp_path, there, monkeypatch)
    assert HOST not in wiring.asked
    assert set(wiring.asked) == set(SITE.hosts) - {HOST}
    assert (made.images, made.links, made.nothing) == (["base"], wiring.changes, False)
    shown = made.as_dict()
    assert shown["hosts"][HOST] == "start"
    assert shown["fabric"] == "keep"
    assert shown["changes"] is True


def test_without_a_fabric_no_link_is_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    there = as_described()
    del there[names.FABRIC]
    made, wiring = plan_of(tmp_path, there, monkeypatch)
    assert wiring.asked == []
    assert made.links == []

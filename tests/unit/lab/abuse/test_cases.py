"""Every case that there is can be proven: it says what stops it, how that is switched off, and the hosts have it so."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
import yaml

from lab.abuse.attempt import Parties, PartyMissingError
from lab.abuse.cases.ssh_administrators import GuessedPassword
from lab.abuse.cases.viewer_trespassers import OpenedKey
from lab.abuse.forgery import NeighbourAsked, PortsOpened
from lab.abuse.registry import cases
from lab.abuse.weakening import Edit, EditedFiles, FilterRule, ReplacedService
from lab.results.model import ID
from lab.settings import ROOT
from tests.unit.roles.rendered import REFERENCE, SMALL_PRACTICE, files_of

if TYPE_CHECKING:
    from lab.abuse.model import AbuseCase

CASES = cases()
LIBRARY = "/opt/pacslab/lib/"
AT_A_COMMAND = {"abuse.ris-other-role"}
"""Cases of people who are at a command of the target itself."""
OF_A_SMALL_PRACTICE = 17
"""How many cases a practice with one scanner and no record can have, at least."""


def every_case(*, with_files: bool = False) -> list[pytest.param]:  # type: ignore[valid-type] # pytest's own
    return [
        pytest.param(case, id=name)
        for name, case in CASES.items()
        if not with_files or any(isinstance(weakening, EditedFiles) for weakening in case.weakenings)
    ]


def shipped(path: str, host: str) -> str:
    """What a host has in a file, as shipped."""
    if path.startswith(LIBRARY):
        return (ROOT / path.removeprefix(LIBRARY)).read_text("utf-8")
    # Programs come with the image, as they stand.
    for role in REFERENCE.hosts[host].roles:
        if not (ROOT / "roles" / role / "tasks" / "install.yml").exists():
            continue
        laid_down = (ROOT / "roles" / role / "tasks" / "install.yml").read_text("utf-8")
        source = re.search(rf'role_path }}}}/(files/\S+)", dest: {re.escape(path)}[,}}]', laid_down)
        if source:
            return (ROOT / "roles" / role / source[1]).read_text("utf-8")
        folder, _, name = path.rpartition("/")
        tree = re.search(rf'tree: "{{{{ role_path }}}}/(files/\S+)", dest: {re.escape(folder)}[,}}]', laid_down)
        if tree:
            return (ROOT / "roles" / role / tree[1] / name).read_text("utf-8")
    tasks = {role: ROOT / "roles" / role / "tasks" / "configure.yml" for role in REFERENCE.hosts[host].roles}
    written = re.compile(rf"dest: {re.escape(path)}[,}}]")
    role = next(role for role, file in tasks.items() if file.exists() and written.search(file.read_text("utf-8")))
    return files_of(REFERENCE, host, role)[path].text


@pytest.mark.parametrize("case", every_case())
def test_a_case_says_what_stops_it_and_how_that_is_switched_off(case: AbuseCase) -> None:
    assert ID.match(case.id)
    assert case.id.startswith("abuse.")
    assert case.title
    assert case.control
    assert case.weakenings, "a case without a weakening proves nothing"
    assert all(weakening.text for weakening in case.weakenings)


def test_no_two_cases_have_an_id_and_a_module_is_enough_to_be_found() -> None:
    folder = ROOT / "lab" / "abuse" / "cases"
    written = re.findall(r'"(abuse\.[a-z0-9-]+)"', "\n".join(path.read_text("utf-8") for path in folder.glob("*.py")))
    assert sorted(written) == sorted(CASES)
    assert len(set(written)) == len(written)


@pytest.mark.parametrize("case", every_case())
def test_the_reference_site_has_who_it_takes(case: AbuseCase) -> None:
    parties = case.parties(REFERENCE)
    assert isinstance(parties, Parties)
    assert parties.source != parties.target or case.id in AT_A_COMMAND
    assert {parties.source, parties.target} <= set(REFERENCE.hosts)
    for weakening in case.weakenings:
        assert weakening.host(REFERENCE, parties) in REFERENCE.hosts


def test_who_takes_part_follows_from_the_description_and_not_from_names() -> None:
    """A site with other hosts has most cases too, with its own hosts in them."""
    found = 0
    for case in CASES.values():
        try:
            parties = case.parties(SMALL_PRACTICE)
        except PartyMissingError:
            continue
        assert {parties.source, parties.target} <= set(SMALL_PRACTICE.hosts)
        found += 1
    assert found >= OF_A_SMALL_PRACTICE


@pytest.mark.parametrize("case", every_case(with_files=True))
def test_every_substitution_matches_what_the_host_is_configured_from(case: AbuseCase) -> None:
    parties = case.parties(REFERENCE)
    for weakening in case.weakenings:
        if isinstance(weakening, EditedFiles):
            host = weakening.host(REFERENCE, parties)
            texts: dict[str, str] = {}
            for edit in weakening.edits:
                before = texts.get(edit.path) or shipped(edit.path, host)
                texts[edit.path] = edit.applied_to(before)
                assert texts[edit.path] != before


def test_a_substitution_that_no_longer_matches_would_be_noticed() -> None:
    path = "/etc/haproxy/conf.d/20-dicom.cfg"
    host = CASES["abuse.dicom-plain"].parties(REFERENCE).target
    with pytest.raises(Exception, match="0 times"):
        Edit(path, "no such rule", "").applied_to(shipped(path, host))


def test_every_unit_and_program_that_a_weakening_names_is_there() -> None:
    programs = {path.name for path in (ROOT / "lab" / "abuse" / "programs").glob("*.py")}
    units = {
        service["unit"]
        for meta in (ROOT / "roles").glob("*/meta/pacslab.yml")
        for service in (yaml.safe_load(meta.read_text("utf-8")).get("services") or {}).values()
    }
    units |= {unit.removesuffix(".timer") + ".service" for unit in units if unit.endswith(".timer")}  # what they start
    for case in CASES.values():
        for weakening in case.weakenings:
            if isinstance(weakening, ReplacedService):
                assert weakening.program in programs
                assert weakening.unit in units
            elif isinstance(weakening, EditedFiles):
                assert not weakening.program or weakening.program in programs
                assert {word for word in weakening.effect if word.endswith(".service")} <= units
            else:
                assert isinstance(weakening, FilterRule | PortsOpened | NeighbourAsked | GuessedPassword | OpenedKey)

"""Hardening checks are declared whole: a promise, a remedy, a sabotage, and lists of the judge's own."""

from __future__ import annotations

import ast

import pytest

from lab.settings import ROOT
from lab.topology.load import TRIALS_DIR, site_names
from lab.verify.hardening import allowed as lists
from lab.verify.hardening.declare import promise
from lab.verify.hardening.find import FOLDER, all_declared, check_files, undeclared_in
from tests.unit.site_builder import committed_site

REFERENCE = committed_site("reference")
TRIED = [committed_site(name, TRIALS_DIR) for name in site_names(TRIALS_DIR)]
DECLARED = all_declared()
JUDGED = ("lab.engine", "lab.images", "lab.ansible", "lab.trust", "lab.operate", "roles", "simulators")


def test_there_are_many_promises_of_many_nouns() -> None:
    assert len(DECLARED) >= 100
    assert len({name.split(".")[1] for name in DECLARED}) >= 14


@pytest.mark.parametrize("path", check_files(), ids=lambda path: path.name)
def test_every_test_promises_something(path: object) -> None:
    assert undeclared_in(path) == []  # type: ignore[arg-type]


@pytest.mark.parametrize("path", check_files(), ids=lambda path: path.name)
def test_the_judge_imports_nothing_that_it_judges(path: object) -> None:
    tree = ast.parse(path.read_text("utf-8"))  # type: ignore[attr-defined]
    imported = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    imported |= {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
    assert [name for name in imported if name.startswith(JUDGED)] == []


@pytest.mark.parametrize("name", DECLARED)
def test_every_promise_has_a_sentence_a_remedy_and_a_sabotage(name: str) -> None:
    declared = DECLARED[name]
    assert declared.promise.text.endswith(".")
    assert declared.remedy.endswith(".")
    assert declared.sabotage is not None


@pytest.mark.parametrize("name", DECLARED)
def test_every_promise_has_something_to_judge_and_to_sabotage_on_the_reference_site_or_where_its_role_is_tried(
    name: str,
) -> None:
    sites = [REFERENCE, *TRIED]
    targets = next((found for site in sites if (found := DECLARED[name].targets(site, site.hosts))), [])
    assert targets
    sabotage = DECLARED[name].sabotage
    assert sabotage is not None
    fitting = [target for target in targets if sabotage.on is None or sabotage.on(target)]
    assert fitting
    assert sabotage.apply_on(fitting[0])
    assert sabotage.undo_on(fitting[0])


@pytest.mark.parametrize("site", ["reference", "small-practice"])
def test_no_check_needs_a_hosts_name(site: str) -> None:
    described = committed_site(site)
    found = [target for declared in DECLARED.values() for target in declared.targets(described, described.hosts)]
    assert len(found) > 100 * len(described.hosts)
    names = [f"{declared.promise.id} {target.host} {target.subject}" for declared in DECLARED.values()
             for target in declared.targets(described, described.hosts)]  # fmt: skip
    assert len(names) == len(set(names))


def test_every_role_has_a_list_and_every_list_a_role() -> None:
    roles = {path.name for path in (ROOT / "roles").iterdir() if (path / "meta").is_dir()}
    written = {path.stem for path in (FOLDER / "allowed").glob("*.yml")}
    own = {path.parents[1].name for path in (ROOT / "roles").glob("*/verify/allowed.yml")}
    assert written | own == roles | {"machine"}  # what no role brings: a machine of its own


def test_lists_of_several_roles_are_one() -> None:
    merged = lists.of_roles(["base", "haproxy"])
    assert {"root", "haproxy"} <= set(merged.accounts)
    assert lists.of_roles(["no-such-role"]) == lists.Allowed()


@pytest.mark.parametrize("wrong", ["hardening.files", "files.modes.x", "hardening.Files.x", "hardening.a.b.c"])
def test_an_id_has_three_words(wrong: str) -> None:
    with pytest.raises(ValueError, match="no id"):
        promise(wrong, "A sentence.", remedy="None.")

"""The register of weaknesses: versions are compared as their packages' makers do, and mistakes are told."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from pydantic import ValidationError

from lab.assets.known import Affected, Weakness, known_at, load_known
from lab.assets.model import Kind
from lab.errors import UsageError
from lab.settings import ROOT
from lab.topology.catalog import load_catalog
from lab.topology.site import Site
from tests.unit.lab.assets.packages import package
from tests.unit.lab.verify.sites import small_site

if TYPE_CHECKING:
    from pathlib import Path

ENTRY = """
part: A part
weaknesses:
  - ids: [CVE-2020-1111, CVE-2020-2222]
    what: It falls over.
    affects: [{kind: deb, name: part, versions: "<2"}]
    source: A test
    response: {answer: accept, reason: It gets up again., date: 2026-01-02}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A register with one entry of two numbers, and a folder for a site beside it."""
    (tmp_path / "known").mkdir()
    (tmp_path / "known" / "part.yml").write_text(ENTRY)
    return tmp_path


def site_in(folder: Path) -> Site:
    small = small_site()
    return Site(small.topology, small.catalog, folder / "topology.yml")


@pytest.mark.parametrize(
    ("kind", "versions", "has", "has_not"),
    [
        (Kind.DEBIAN, "<3.6.7-9~deb12u4", "3.6.7-9~deb12u3", "3.6.7-9~deb12u4"),
        (Kind.DEBIAN, "<3.7.1~", "3.7.0+really3.7.0-7", "3.7.1-1"),
        (Kind.DEBIAN, "<3.7.0~", "3.6.9-5", "3.7.0~rc1-1"),
        (Kind.DEBIAN, "<1.12.11", "1.12.7+dfsg-3", "1:1.0-1"),
        (Kind.DEBIAN, "<1.12.11", "1.12.9-1", "1.12.11+dfsg-1"),
        (Kind.PYTHON, ">=2.0.0rc1|<3.0.2", "2.0.0rc1", "3.0.2"),
        (Kind.PYTHON, ">=1.0.0|<=3.0.4", "3.0.4", "3.0.4.post1"),
        (Kind.NPM, "<3.10.0", "3.9.2", "3.10.0"),
    ],
)
def test_versions_are_compared_as_the_makers_of_their_packages_do(
    kind: Kind, versions: str, has: str, has_not: str
) -> None:
    affected = Affected(kind=kind, name="part", versions=versions)
    assert affected.has(package(kind, "part", has))
    assert not affected.has(package(kind, "part", has_not))


def test_a_name_may_leave_out_a_librarys_number_and_a_kind_counts() -> None:
    affected = Affected(kind=Kind.DEBIAN, name="libdcmtk*", versions="*")
    assert affected.has(package(Kind.DEBIAN, "libdcmtk20", "3.7.0-1"))
    assert not affected.has(package(Kind.DEBIAN, "dcmtk-data", "3.7.0-1"))
    assert not affected.has(package(Kind.PYTHON, "libdcmtk20", "3.7.0"))


def test_a_version_that_cannot_be_read_counts_as_affected() -> None:
    affected = Affected(kind=Kind.PYTHON, name="part", versions="<1")
    assert affected.has(package(Kind.PYTHON, "part", "local build"))


@pytest.mark.parametrize("versions", ["", "before 2", "~2", "<"])
def test_versions_that_are_no_range_are_a_mistake(versions: str) -> None:
    with pytest.raises(ValidationError):
        Affected(kind=Kind.DEBIAN, name="part", versions=versions)


@pytest.mark.parametrize(
    ("cvss", "word"),
    [(None, "unknown"), (0.0, "none"), (0.1, "low"), (3.9, "low"), (4.0, "medium"), (7.0, "high"), (9.0, "critical")],
)
def test_a_score_has_the_word_that_cvss_gives_it(cvss: float | None, word: str) -> None:
    affects = [Affected(kind=Kind.DEBIAN, name="part", versions="*")]
    assert Weakness(ids=["CVE-2020-1111"], what="x", cvss=cvss, affects=affects, source="x").severity == word


def test_each_entry_of_the_project_has_a_response_and_a_role_that_there_is() -> None:
    catalog = load_catalog()
    known = load_known()
    assert known
    assert [entry.weakness.ids for entry in known if entry.weakness.response is None] == []
    assert {entry.weakness.comes_with.role for entry in known if entry.weakness.comes_with} <= catalog.keys()


def test_no_page_tells_by_hand_of_a_number_that_the_register_has() -> None:
    text = re.sub(r"<!-- generated: .*?<!-- end -->", "", (ROOT / "docs/limits.md").read_text("utf-8"), flags=re.DOTALL)
    assert re.findall(r"CVE-\d{4}-\d+", text) == []


def test_a_number_stands_once(folder: Path) -> None:
    (folder / "known" / "again.yml").write_text(ENTRY)
    with pytest.raises(UsageError, match="CVE-2020-1111, CVE-2020-2222 stands there more than once"):
        load_known(folder / "known")


@pytest.mark.parametrize(
    ("was", "becomes", "told"),
    [
        ("CVE-2020-1111", "CVE-20-1", r"weaknesses\.0\.ids\.0"),
        ('"<2"', '"vers:deb/<2"', r"affects\.0\.versions"),
        ("answer: accept", "answer: hope", r"response\.answer"),
        ("part: A part", "party: A part", "party|part"),
        ("ids: [", "ids: {", "no YAML"),
    ],
)
def test_a_mistake_is_told_with_its_place(folder: Path, was: str, becomes: str, told: str) -> None:
    path = folder / "known" / "part.yml"
    path.write_text(ENTRY.replace(was, becomes))
    with pytest.raises(UsageError, match=rf"part\.yml.*({told})") as raised:
        load_known(folder / "known")
    assert raised.value.remedy


def test_a_site_decides_otherwise_for_one_number_of_an_entry(folder: Path) -> None:
    (folder / "weaknesses.yml").write_text(
        "responses:\n  CVE-2020-2222: {answer: avoid, reason: Not installed here., date: 2026-03-04}\n"
    )
    found = known_at(site_in(folder), folder / "known")
    assert [(entry.weakness.ids, entry.weakness.response and entry.weakness.response.answer) for entry in found] == [
        (["CVE-2020-1111"], "accept"),
        (["CVE-2020-2222"], "avoid"),
    ]


def test_a_site_cannot_answer_what_nobody_knows(folder: Path) -> None:
    (folder / "weaknesses.yml").write_text(
        "responses:\n  CVE-2020-3333: {answer: avoid, reason: Not installed here., date: 2026-03-04}\n"
    )
    with pytest.raises(UsageError, match="CVE-2020-3333"):
        known_at(site_in(folder), folder / "known")


def test_a_site_without_a_file_has_the_projects_responses(folder: Path) -> None:
    assert known_at(site_in(folder), folder / "known") == load_known(folder / "known")
    (folder / "weaknesses.yml").write_text("")
    assert known_at(site_in(folder), folder / "known") == load_known(folder / "known")

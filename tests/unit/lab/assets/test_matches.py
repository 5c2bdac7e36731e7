"""Known weaknesses are found where their package is installed, and are foreseen where a site's settings install it."""

from __future__ import annotations

import shutil
from datetime import date
from typing import TYPE_CHECKING

from lab.assets.known import Affected, Answer, Known, Response, Weakness, load_known
from lab.assets.matches import foreseen, matches
from lab.assets.model import Installed, Kind
from lab.settings import ROOT
from lab.topology.load import load_site
from tests.unit.lab.assets.packages import installed, package

if TYPE_CHECKING:
    from pathlib import Path


def known(name: str, cvss: float | None, *, answered: bool = True, versions: str = "<2") -> Known:
    response = Response(answer=Answer.ACCEPT, reason="x", date=date(2026, 1, 2)) if answered else None
    affects = [Affected(kind=Kind.DEBIAN, name="part", versions=versions)]
    weakness = Weakness(ids=[name], what="x", cvss=cvss, affects=affects, source="x", response=response)
    return Known(part="Part", weakness=weakness)


OLD = Installed((package(Kind.DEBIAN, "part", "1.0-1"), package(Kind.DEBIAN, "other", "1.0-1")), "a test")
NEW = Installed((package(Kind.DEBIAN, "part", "2.0-1"),), "a test")


def test_a_weakness_is_on_the_hosts_that_have_the_version() -> None:
    (match,) = matches([known("CVE-2020-1111", 5.0)], {"old": OLD, "new": NEW, "none": Installed(reason="x")})
    assert {host: [entry.name for entry in packages] for host, packages in match.hosts.items()} == {"old": ["part"]}
    assert match.present
    assert not match.unanswered


def test_one_without_a_response_counts_where_a_host_has_it_and_nowhere_else() -> None:
    (match,) = matches([known("CVE-2020-1111", 5.0, answered=False)], {"old": OLD})
    assert match.unanswered
    (match,) = matches([known("CVE-2020-1111", 5.0, answered=False)], {"new": NEW})
    assert not match.unanswered


def test_the_most_severe_stands_first_an_unknown_severity_before_it_and_what_nobody_has_at_the_end() -> None:
    entries = [
        known("CVE-2020-1111", 5.0),
        known("CVE-2020-2222", 9.8),
        known("CVE-2020-3333", None),
        known("CVE-2020-4444", 10.0, versions="<0.1"),
    ]
    found = [match.weakness.ids[0] for match in matches(entries, {"old": OLD})]
    assert found == ["CVE-2020-3333", "CVE-2020-2222", "CVE-2020-1111", "CVE-2020-4444"]


def test_the_projects_register_knows_orthanc_of_the_installed_release_and_what_is_left_in_a_later_one() -> None:
    found = {
        name for match in matches(load_known(), {"pacs": installed()}) for name in match.weakness.ids if match.present
    }
    assert {"CVE-2026-5442", "CVE-2026-56445", "CVE-2026-50003"} <= found
    assert not found & {"CVE-2023-33466", "CVE-2026-32711", "CVE-2025-14607"}


def test_a_site_that_installs_the_releases_archive_is_told_before_anything_is_built(tmp_path: Path) -> None:
    folder = tmp_path / "small-practice"
    shutil.copytree(ROOT / "inventories" / "small-practice", folder)
    site = load_site(folder / "topology.yml")
    assert foreseen(site) == []

    (folder / "group_vars").mkdir(exist_ok=True)
    (folder / "group_vars" / "all.yml").write_text("orthanc_install_release: stable\n")
    found = foreseen(site)
    assert "CVE-2026-5442" in {name for match in found for name in match.weakness.ids}
    with_role = [name for name, host in site.hosts.items() if "orthanc" in host.roles]
    assert [list(match.hosts) for match in found] == [with_role] * len(found)

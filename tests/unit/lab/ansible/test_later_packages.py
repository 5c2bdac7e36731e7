"""Packages of a later Debian release: only what was looked at comes from an index that is past its validity."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import pytest

from tests.unit.lab.ansible.plugins import plugin

if TYPE_CHECKING:
    from pathlib import Path

later = plugin("module_utils.later_release")
module = plugin("modules.later_packages")

SIMULATED = """NOTE: This is only a simulation!
Inst zlib1g [1:1.3.1-1] (1:1.3.2-3 Debian:testing [amd64])
Conf zlib1g (1:1.3.2-3 Debian:testing [amd64])
Inst libcurl4t64 (8.14.1-2 Debian:13.5/stable [amd64])
Inst dcmtk-data [3.6.9-5] (3.7.0-7 Debian:testing [all])
Remv orthanc-gdcm [1.8]
Inst orthanc [1.12.7+dfsg-4] (1.13.0+dfsg-1+b1 Debian:testing [amd64]) []
"""
HASH = "ab" * 32
LOCKED = {"orthanc": later.Locked("1.13.0+dfsg-1+b1", HASH)}


def orthanc(version: str = "1.13.0+dfsg-1+b1") -> Any:
    return later.Change("orthanc", version, "amd64", "Debian:testing")


def judged(*wanted: Any, expired: str = "", stated: str = HASH) -> Any:
    return later.judge(
        wanted, LOCKED, lambda _: stated, least={"orthanc": "1.12.11"}, older=module.older, expired=expired
    )


def test_what_apt_would_do_is_read_with_its_release() -> None:
    found = later.changes(SIMULATED)
    assert [(change.name, change.version, change.architecture, change.release) for change in found] == [
        ("zlib1g", "1:1.3.2-3", "amd64", "Debian:testing"),
        ("libcurl4t64", "8.14.1-2", "amd64", "Debian:13.5/stable"),
        ("dcmtk-data", "3.7.0-7", "all", "Debian:testing"),
        ("orthanc", "1.13.0+dfsg-1+b1", "amd64", "Debian:testing"),
    ]
    assert later.removals(SIMULATED) == ["orthanc-gdcm"]


def test_only_changes_of_the_later_release_are_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    policy = "  500 uri forky/main amd64 Packages\n     release o=Debian,a=testing,n=forky,l=Debian,c=main,b=amd64\n"
    monkeypatch.setattr(module, "run", lambda _: policy)
    names = [change.name for change in module.of_release(later.changes(SIMULATED), "forky")]
    assert names == ["zlib1g", "dcmtk-data", "orthanc"]


def test_a_locked_version_is_taken_also_from_an_index_past_its_validity() -> None:
    found = judged(orthanc(), expired="since 2026-11-07")
    assert (found.against, found.unlocked, found.locked) == ([], [], {orthanc(): HASH})


def test_another_file_under_a_locked_version_is_refused() -> None:
    assert "another SHA-256" in judged(orthanc(), stated="cd" * 32).against[0]


def test_a_newer_version_is_taken_from_a_valid_index_and_told() -> None:
    found = judged(orthanc("1.13.2-1"))
    assert (found.against, [change.version for change in found.unlocked]) == ([], ["1.13.2-1"])


def test_a_newer_version_is_refused_from_an_index_past_its_validity() -> None:
    (against,) = judged(orthanc("1.13.2-1"), expired="since 2026-11-07").against
    assert "not locked" in against
    assert "since 2026-11-07" in against


def test_a_version_with_the_known_weaknesses_is_refused() -> None:
    assert judged(orthanc("1.12.10+dfsg-1")).against == ["orthanc 1.12.10+dfsg-1 is older than 1.12.11"]


@pytest.mark.parametrize("name", ["libc6", "systemd", "libsystemd0", "libssl3t64", "apt", "python3.13"])
def test_what_the_host_stands_on_is_not_changed(name: str) -> None:
    change = later.Change(name, "9", "amd64", "Debian:testing")
    assert "on which the whole host stands" in judged(change).against[0]


def test_an_index_says_until_when_it_is_valid(tmp_path: Path) -> None:
    path = tmp_path / "InRelease"
    path.write_text("Suite: testing\nValid-Until: Sat, 07 Nov 2020 02:06:04 UTC\n")
    assert module.expiry(path) == "since 2020-11-07"
    path.write_text("Suite: testing\nValid-Until: Sat, 07 Nov 2099 02:06:04 UTC\n")
    assert module.expiry(path) == ""


def test_a_source_overlooks_the_validity_only_while_locked_packages_are_fetched() -> None:
    assert "Check-Valid-Until: no" in module.source("file:/x", "forky", check_valid=False)
    assert "Check-Valid-Until" not in module.source("file:/x", "forky", check_valid=True)


def test_a_fetched_file_that_differs_is_removed_and_stops_everything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "zlib1g_1%3a1.3.2-3_amd64.deb"
    package.write_bytes(b"as looked at")
    monkeypatch.setattr(module, "run", lambda _: str(tmp_path))
    change = later.Change("zlib1g", "1:1.3.2-3", "amd64", "Debian:testing")
    module.check_files({change: hashlib.sha256(b"as looked at").hexdigest()})
    with pytest.raises(module.ConfigureError, match="not the file that was looked at"):
        module.check_files({change: HASH})
    assert not package.exists()

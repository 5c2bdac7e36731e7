"""Missing security updates: what apt says is read rightly, and a mirror that does not answer is told."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from lab.assets import updates
from lab.assets.model import Installed
from lab.assets.updates import Update, missing_updates, parse_simulation, status_file
from tests.unit.lab.assets.packages import installed

if TYPE_CHECKING:
    from pathlib import Path

SIMULATED = """\
Reading package lists...
Building dependency tree...
Calculating upgrade...
The following packages will be upgraded:
  curl libcurl4t64
Inst libssl3t64 [3.5.1-1] (3.5.1-1+deb13u1 Debian-Security:13/stable-security [amd64]) []
Inst curl [8.14.1-2] (8.14.1-2+deb13u2 Debian:13.2/stable, Debian-Security:13/stable-security [amd64])
Inst tzdata [2026a-0+deb13u1] (2026b-0+deb13u1 Debian:13-updates/stable-updates [all])
Inst libnew1 (1.0-1 Debian:13.2/stable [amd64])
Inst bash [5.2.37-2+b10] (5.2.37-2+b10 Debian:13.2/stable [amd64])
Conf curl (8.14.1-2+deb13u2 Debian:13.2/stable, Debian-Security:13/stable-security [amd64])
"""
"""As apt-get 2.6 and 3.0 write it."""


def test_what_would_be_replaced_is_an_update_and_one_of_the_security_archive_is_told_apart() -> None:
    assert parse_simulation(SIMULATED) == (
        Update("libssl3t64", "3.5.1-1", "3.5.1-1+deb13u1", security=True),
        Update("curl", "8.14.1-2", "8.14.1-2+deb13u2", security=True),
        Update("tzdata", "2026a-0+deb13u1", "2026b-0+deb13u1", security=False),
    )


def test_apt_is_told_of_debian_packages_alone_each_with_its_architecture() -> None:
    text = status_file(installed().packages)
    stanzas = [dict(line.split(": ", 1) for line in part.splitlines()) for part in text.strip().split("\n\n")]
    assert {entry["Package"]: (entry["Version"], entry["Architecture"]) for entry in stanzas} == {
        "orthanc": ("1.12.7+dfsg-3", "amd64"),
        "libdcmtk20": ("3.7.0+really3.7.0-7", "amd64"),
        "tzdata": ("2026a-0+deb13u1", "all"),
    }
    assert {entry["Status"] for entry in stanzas} == {"install ok installed"}


@pytest.mark.skipif(shutil.which("apt-get") is None, reason="this machine has no apt-get")
def test_a_mirror_that_does_not_answer_is_told_and_nothing_is_claimed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PACSLAB_DEBIAN_MIRROR", "http://127.0.0.1:9/debian")
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.delenv(name, raising=False)
    found = missing_updates({"pacs": installed()}, tmp_path / "index")
    assert "could not be fetched" in found.problem
    assert found.hosts == {}
    assert found.index_from is None


def test_a_machine_without_apt_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(updates.shutil, "which", lambda _: None)
    found = missing_updates({"pacs": installed()}, tmp_path)
    assert "no apt-get" in found.problem
    assert found.index_from is None


def test_the_index_of_the_last_time_counts_where_the_mirror_does_not_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "fetched").touch()
    monkeypatch.setattr(updates.shutil, "which", lambda _: "/usr/bin/apt-get")
    monkeypatch.setattr(updates, "_refresh", lambda _: "no answer")
    monkeypatch.setattr(updates, "_simulate", lambda *_: (parse_simulation(SIMULATED), ""))
    found = missing_updates({"pacs": installed(), "viewer7": Installed(reason="foreign")}, tmp_path)
    assert found.problem == "no answer"
    assert found.index_from is not None
    assert {host: len(lacks) for host, lacks in found.hosts.items()} == {"pacs": 3}

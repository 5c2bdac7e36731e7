"""npm packages are pinned by version and hash, and fetched once."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from typing import TYPE_CHECKING

import pytest

from lab.errors import EngineError, MachineNotReadyError
from lab.images import npm
from lab.topology.catalog import ROLES_DIR, load_catalog

if TYPE_CHECKING:
    from pathlib import Path

CONTENT = b"an archive"
RIGHT = f"sha512-{base64.b64encode(hashlib.sha512(CONTENT).digest()).decode()}"
FAKE = """#!/bin/sh
echo "$@" >>"$0.log"
case $1 in
pack) printf 'an archive' >"$4/ohif-app-1.2.3.tgz"; echo ohif-app-1.2.3.tgz ;;
view) echo sha512-new ;;
esac
"""


@pytest.fixture
def pins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A list of one package, and an npm that has it."""
    program = tmp_path / "bin" / "npm"
    program.parent.mkdir()
    program.write_text(FAKE)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    return listed(tmp_path, RIGHT)


def listed(folder: Path, integrity: str) -> Path:
    path = folder / "npm-packages.json"
    path.write_text(json.dumps({"@ohif/app": {"version": "1.2.3", "integrity": integrity}}))
    return path


def asked(tmp_path: Path) -> list[str]:
    return (tmp_path / "bin" / "npm.log").read_text().splitlines()


@pytest.mark.parametrize("role", [role for role, meta in load_catalog().items() if meta.npm_packages])
def test_every_package_of_a_role_has_a_version_and_a_hash(role: str) -> None:
    path = ROLES_DIR / role / (load_catalog()[role].npm_packages or "")
    for name, pin in json.loads(path.read_text("utf-8")).items():
        assert re.fullmatch(r"[0-9]+\.[0-9]+\.[0-9]+", pin["version"]), name
        assert re.fullmatch(r"sha512-[A-Za-z0-9+/]{86}==", pin["integrity"]), name


def test_packages_are_fetched_once_for_each_list(pins: Path, tmp_path: Path) -> None:
    store = npm.fetch_packages(pins, tmp_path / "stores")
    assert npm.fetch_packages(pins, tmp_path / "stores") == store
    assert [path.name for path in store.iterdir()] == ["ohif-app-1.2.3.tgz"]
    assert [line.split()[:2] for line in asked(tmp_path)] == [["pack", "@ohif/app@1.2.3"]]


def test_another_archive_than_the_pinned_one_is_refused_and_not_kept(pins: Path, tmp_path: Path) -> None:
    pins = listed(tmp_path, RIGHT.replace("sha512-", "sha512-x"))
    with pytest.raises(EngineError, match="does not have the hash"):
        npm.fetch_packages(pins, tmp_path / "stores")
    assert list((tmp_path / "stores").iterdir()) == []


def test_the_lock_has_the_registrys_hash_of_the_pinned_version(pins: Path, tmp_path: Path) -> None:
    npm.lock(pins)
    assert json.loads(pins.read_text()) == {"@ohif/app": {"version": "1.2.3", "integrity": "sha512-new"}}
    assert asked(tmp_path) == ["view @ohif/app@1.2.3 dist.integrity"]


def test_a_machine_without_npm_is_told(pins: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MachineNotReadyError, match="npm"):
        npm.fetch_packages(pins, tmp_path / "stores")

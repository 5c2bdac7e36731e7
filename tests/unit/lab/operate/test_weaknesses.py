"""Known weaknesses are named where the site's settings install the part that has them."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from lab.operate.weaknesses import weaknesses
from lab.settings import ROOT
from lab.topology.load import load_site

if TYPE_CHECKING:
    from pathlib import Path


def test_the_installed_releases_archive_is_named_with_its_weaknesses_and_hosts(tmp_path: Path) -> None:
    folder = tmp_path / "small-practice"
    shutil.copytree(ROOT / "inventories" / "small-practice", folder)
    site = load_site(folder / "topology.yml")
    assert [known for known in weaknesses(site) if known.role == "orthanc"] == []

    (folder / "group_vars").mkdir(exist_ok=True)
    (folder / "group_vars" / "all.yml").write_text("orthanc_install_release: stable\n")
    (found,) = [known for known in weaknesses(site) if known.role == "orthanc"]
    assert found.hosts == tuple(name for name, host in site.hosts.items() if "orthanc" in host.roles)
    assert "CVE-2026-5442" in found.ids

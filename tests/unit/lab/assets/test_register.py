"""The register has every host of a site with what its description says, and the ends of certificates once issued."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from lab.assets.known import load_known
from lab.assets.matches import matches
from lab.assets.model import Asset, Installed
from lab.assets.register import register
from lab.assets.table import COLUMNS, as_csv, as_dicts
from lab.topology.load import site_names
from lab.trust.pki import ensure_pki
from tests.unit.lab.assets.packages import installed
from tests.unit.lab.trust.sites import tiny_site
from tests.unit.site_builder import committed_site

SITES = {name: committed_site(name) for name in site_names()}
NOWHERE = Path("/nonexistent")


@pytest.mark.parametrize("name", SITES)
def test_every_host_is_there_as_described(name: str) -> None:
    site = SITES[name]
    assets = register(site, NOWHERE)
    assert [asset.host for asset in assets] == list(site.hosts)
    for asset in assets:
        entry = site.hosts[asset.host]
        assert (asset.owner, asset.criticality) == (entry.asset.owner, entry.asset.criticality)
        assert (asset.regulated, asset.zone) == (entry.asset.regulated, entry.zone)
        assert str(entry.address) in {own.address for own in asset.addresses}
        assert {own.name for own in asset.services} <= site.services(asset.host).keys()
        assert all(own.until is None for own in asset.certificates)


def test_the_firewall_has_an_address_in_every_zone() -> None:
    site = SITES["reference"]
    (asset,) = register(site, NOWHERE, [site.gateway])
    assert {own.zone for own in asset.addresses} == set(site.topology.zones)


def test_a_foreign_device_has_no_certificates_of_ours() -> None:
    site = SITES["third-party-devices"]
    foreign = [asset for asset in register(site, NOWHERE) if asset.foreign]
    assert foreign
    assert [asset.certificates for asset in foreign] == [()] * len(foreign)


def test_certificates_have_an_end_when_the_lab_has_issued_them(tmp_path: Path) -> None:
    site = tiny_site()
    ensure_pki(site, tmp_path)
    ends = [own.until for asset in register(site, tmp_path) for own in asset.certificates]
    assert ends
    assert all(end is not None and end > datetime.now(UTC) + timedelta(days=30) for end in ends)


def whole() -> tuple[list[Asset], dict[str, Installed]]:
    assets = register(SITES["reference"], NOWHERE)
    return assets, {asset.host: installed() for asset in assets}


def test_a_table_has_a_row_for_each_host_and_says_where_packages_are_unknown() -> None:
    assets, own = whole()
    own["fw1"] = Installed(reason="not built")
    rows = list(csv.DictReader(io.StringIO(as_csv(assets, own, matches(load_known(), own)))))
    assert [row["host"] for row in rows] == [asset.host for asset in assets]
    assert list(rows[0]) == list(COLUMNS)
    by_host = {row["host"]: row for row in rows}
    assert (by_host["fw1"]["packages"], by_host["fw1"]["packages_from"]) == ("", "not built")
    assert by_host["pacs-rad"]["packages"] == "5"
    assert by_host["pacs-rad"]["regulated"] == "yes"
    assert "CVE-2026-5442" in by_host["pacs-rad"]["weaknesses"].splitlines()
    assert "dicom-tls tcp/2762" in by_host["pacs-rad"]["services"].splitlines()


@pytest.mark.parametrize("hostile", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx"])
def test_no_cell_is_a_formula(hostile: str) -> None:
    assets, own = whole()
    text = as_csv([replace(assets[0], owner=hostile)], own, [])
    (row,) = csv.DictReader(io.StringIO(text, newline=""))
    assert row["owner"] == f"'{hostile}"


def test_the_json_has_what_is_installed_and_survives_being_printed() -> None:
    assets, own = whole()
    told = json.loads(json.dumps(as_dicts(assets, own, matches(load_known(), own))))
    assert [entry["host"] for entry in told] == [asset.host for asset in assets]
    assert {entry["name"] for entry in told[0]["packages"]} >= {"orthanc", "pynetdicom", "@ohif/app"}
    assert told[0]["packages_from"] == "a test"

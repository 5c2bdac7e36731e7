"""What follows from a description: resolved flows, interfaces, variables; and the sites that are kept here."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
import yaml

from lab.topology import load_site
from lab.topology.load import site_names, site_path
from lab.topology.schema import SCHEMA_PATH, schema_text, topology_schema
from lab.topology.variables import host_variables
from tests.unit.json_schema import misfits
from tests.unit.lab.topology.sites import change, tiny_site

if TYPE_CHECKING:
    from pathlib import Path

SITES = site_names()


def test_a_role_selector_means_every_host_that_has_the_role(tmp_path: Path) -> None:
    site = tiny_site(tmp_path)
    assert [
        (flow.source, flow.target, flow.port) for flow in site.flows_in("pacs1") if flow.service == "dicom-tls"
    ] == [
        ("ct1", "pacs1", 2762),
        ("ct2", "pacs1", 2762),
    ]


def test_a_zone_selector_means_every_host_in_the_zone_but_never_the_target_itself(tmp_path: Path) -> None:
    site = tiny_site(tmp_path, change("from: fw1", "from: zone:core"))
    assert [flow.source for flow in site.flows if flow.service == "web"] == ["fw1"]


def test_flows_between_the_same_hosts_permit_what_any_of_them_permits(tmp_path: Path) -> None:
    more = "flows:\n  - {from: ct1, to: pacs1, service: dicom-tls, permits: [C-ECHO, N-ACTION], why: RAD-10}\n"
    site = tiny_site(tmp_path, change("flows:\n", more))
    (flow,) = site.flows_out("ct1")
    assert flow.permits == ("C-ECHO", "N-ACTION", "C-STORE")
    assert flow.why == "RAD-10; RAD-8 Modality Images Stored"


def test_the_gateway_has_the_first_address_of_every_zone_and_speaks_from_the_one_nearest(tmp_path: Path) -> None:
    site = tiny_site(tmp_path)
    assert [(interface.name, str(interface.address)) for interface in site.interfaces("fw1")] == [
        ("vlan10", "10.0.10.1"),
        ("vlan20", "10.0.20.1"),
    ]
    assert str(site.address_towards("fw1", "ct1")) == "10.0.20.1"
    assert host_variables(site, "fw1")["host_gateway"] is None
    assert host_variables(site, "ct1")["host_gateway"] == "10.0.20.1"


@pytest.mark.parametrize("name", SITES)
def test_every_site_kept_here_has_no_mistake(name: str) -> None:
    assert load_site(site_path(name)).name == name


@pytest.mark.parametrize("name", SITES)
def test_every_site_kept_here_follows_the_schema(name: str) -> None:
    data = yaml.safe_load(site_path(name).read_text("utf-8"))
    assert misfits(data, topology_schema()) == []


@pytest.mark.parametrize("name", SITES)
def test_every_site_kept_here_names_the_schema_for_editors(name: str) -> None:
    first = site_path(name).read_text("utf-8").splitlines()[0]
    assert first == "# yaml-language-server: $schema=../topology.schema.json"


def test_the_small_practice_has_a_network_and_names_of_its_own() -> None:
    reference, practice = (load_site(site_path(name)).topology for name in ("reference", "small-practice"))
    assert practice.domain != reference.domain
    assert not any(
        zone.subnet.overlaps(two.subnet) for zone in practice.zones.values() for two in reference.zones.values()
    )


def test_the_committed_schema_is_the_models() -> None:
    assert SCHEMA_PATH.read_text("utf-8") == schema_text(), "run: make docs"


@pytest.mark.parametrize(
    ("old", "new"),
    [("vlan: 20", "vlan: 4095"), ("  scanners:", "  Scanners:"), ("isolated: true", "isolatd: true"), ("why:", "y:")],
)
def test_the_schema_refuses_what_loading_refuses_of_one_value(old: str, new: str) -> None:
    data = yaml.safe_load(change(old, new))
    assert misfits(data, topology_schema())


def test_the_schema_describes_every_key() -> None:
    schema = topology_schema()
    kinds = {"": schema, **schema["$defs"]}
    bare = [
        f"{kind}.{key}"
        for kind, part in kinds.items()
        for key, entry in part.get("properties", {}).items()
        if not entry.get("examples") and key not in {"zones", "hosts", "flows"}
    ]
    assert bare == []
    assert json.loads(schema_text()) == schema


@pytest.mark.parametrize("name", site_names())
def test_where_an_intruder_has_a_choice_of_keys_they_are_of_one_service_user(name: str) -> None:
    site = load_site(site_path(name))
    for host in site.hosts:
        assert len({certificate.owner for certificate in site.opening_certificates(host).values()} - {"root"}) <= 1, (
            host
        )


def test_keys_with_which_a_host_serves_are_not_among_those_with_which_it_calls() -> None:
    site = load_site(site_path("reference"))
    assert {"dicom-client", "syslog"} == set(site.opening_certificates("ct1"))
    assert "dicom" in site.certificates("ct1")

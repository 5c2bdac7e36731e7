"""Every role can be described on a host of its own, with what it cannot do without and nothing more."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import pytest
import yaml

from lab.errors import UsageError
from lab.topology.catalog import load_catalog
from lab.topology.load import load_site, sites_with_every_role
from lab.trials.description import Subject, describe, subject_of
from lab.trials.trial import only

if TYPE_CHECKING:
    from pathlib import Path

    from lab.topology.site import Site

ROLES = sorted(load_catalog())


@cache
def sites() -> tuple[Site, ...]:
    return tuple(sites_with_every_role())


def subject(role: str) -> Subject:
    """Return the host that a role is tried on."""
    return subject_of(sites(), role)


@pytest.fixture(params=ROLES)
def described(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Subject, Site, set[str]]:
    """Each role's subject, its trial's site, and who is started."""
    found = subject(request.param)
    description = describe(found)
    path = tmp_path / "topology.yml"
    path.write_text(yaml.safe_dump(description.content, sort_keys=False))
    return found, load_site(path), set(description.started)


def test_a_trial_s_description_has_no_mistake_and_the_role_has_what_it_asks(
    described: tuple[Subject, Site, set[str]],
) -> None:
    found, site, started = described
    assert tuple(site.hosts[found.host].roles) == found.roles
    asked = {name for role in found.roles for name in site.catalog[role].asks}
    there = set(site.services(found.host)) | {
        flow.service for flow in site.flows_out(found.host) if flow.target in started
    }
    assert asked <= there


def test_who_is_started_is_asked_for(described: tuple[Subject, Site, set[str]]) -> None:
    found, site, started = described
    for host in started - {found.host}:
        others = {role for other in started - {host} for role in site.hosts[other].roles}
        assert set(site.services(host)) & {name for role in others for name in site.catalog[role].asks}
    assert set(only(site, {host: site.hosts[host].roles for host in started}).hosts) == started


def test_flows_of_the_subject_stay_as_they_are_in_its_own_site(described: tuple[Subject, Site, set[str]]) -> None:
    found, site, _ = described
    offered = {name for role in found.roles for name in site.catalog[role].services}

    def calls(host: str, service: str) -> bool:
        """Whether a host still has a role that asks for the service, where one of its own site asks for it."""
        asking = {role for role in found.site.hosts[host].roles if service in site.catalog[role].asks}
        return not asking or bool(asking & set(site.hosts[host].roles))

    expected = {
        (flow.source, flow.service, flow.permits)
        for flow in found.site.flows_in(found.host)
        if flow.service in offered and calls(flow.source, flow.service)
    }
    assert {(flow.source, flow.service, flow.permits) for flow in site.flows_in(found.host)} == expected


def test_who_is_started_can_call_what_it_asks_of_others_who_are_started(
    described: tuple[Subject, Site, set[str]],
) -> None:
    _, site, started = described
    for host in started:
        own = set(site.services(host))
        asked = {name for role in site.hosts[host].roles for name in site.catalog[role].asks} - own
        there = {flow.service for flow in site.flows_out(host) if flow.target in started}
        offered = {service for other in started - {host} for service in site.services(other)}
        assert asked & offered <= there


def test_a_flow_that_follows_from_a_role_goes_with_it(tmp_path: Path) -> None:
    path = tmp_path / "topology.yml"
    services = {}
    for role in ("base", "trust", "log_forwarder"):
        found = subject(role)
        path.write_text(yaml.safe_dump(describe(found).content, sort_keys=False))
        services[role] = {flow.service for flow in load_site(path).flows_out(found.host)}
    assert not services["base"] & {"certificate-status", "syslog-tls", "postgresql"}
    assert "certificate-status" in services["trust"]
    assert "syslog-tls" not in services["trust"]
    assert "syslog-tls" in services["log_forwarder"]


def test_an_edge_has_an_application_behind_it() -> None:
    assert {"orthanc", "modality", "ris"} & set(subject("dicom_edge").before)


def test_a_role_stands_on_what_it_comes_after_and_nothing_else() -> None:
    forwarder = describe(subject("log_forwarder"))
    assert forwarder.started[forwarder.subject] == ("base", "trust", "log_forwarder")
    edge = describe(subject("dicom_edge"))
    assert not {"log_forwarder", "python_runtime"} & set(edge.started[edge.subject])


def test_a_client_of_the_database_gets_one() -> None:
    assert "db1" in describe(subject("ris")).started
    assert len(describe(subject("haproxy")).started) == 1


def test_a_role_that_no_host_has_is_named() -> None:
    with pytest.raises(UsageError, match="nowhere"):
        subject("nowhere")

"""An image manager holds what nobody has announced, where somebody could have."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.unit.roles.rendered import REFERENCE, SMALL_PRACTICE, files_of

if TYPE_CHECKING:
    from lab.topology import Site

ARCHIVES = [
    (site, name)
    for site in (REFERENCE, SMALL_PRACTICE)
    for name, host in site.hosts.items()
    if "image_manager" in host.roles
]


@pytest.mark.parametrize(("site", "host"), ARCHIVES, ids=lambda value: getattr(value, "name", value))
def test_unscheduled_objects_are_held_where_a_flow_lets_somebody_announce_them(site: Site, host: str) -> None:
    data = json.loads(files_of(site, host, "image_manager")["/etc/pacslab/image-manager.json"].text)
    announced = any({"ORM^O01", "OMI^O23"} & set(flow.permits) for flow in site.flows_in(host))
    assert data["hold_unscheduled"] is announced
    assert data["orthanc"]["runs_as"] == "orthanc"


@pytest.mark.parametrize(("site", "host"), ARCHIVES, ids=lambda value: getattr(value, "name", value))
def test_an_image_manager_reaches_order_fillers_at_the_ports_where_the_edge_leads_there(site: Site, host: str) -> None:
    data = json.loads(files_of(site, host, "image_manager")["/etc/pacslab/image-manager.json"].text)
    leads = {target: port for (service, target), port in site.plain_ports(host).items() if service == "dicom-tls"}
    assert data["outbound"] == leads
    fillers = {flow.target for flow in site.flows_out(host) if "IAN" in flow.permits}
    assert fillers
    assert fillers <= leads.keys()
    edge = files_of(site, host, "dicom_edge")["/etc/haproxy/conf.d/20-dicom.cfg"].text
    for target, port in leads.items():
        assert f"listen dicom-to-{target}\n    mode tcp\n    bind 127.0.0.1:{port}\n" in edge

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

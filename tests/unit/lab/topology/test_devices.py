"""Foreign devices: the description gives them a place, and nothing of this project is installed on them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lab.topology.load import load_site, site_path
from lab.topology.peers import peers
from lab.topology.variables import site_variables
from tests.unit.lab.topology.sites import SITE, change, mistakes, tiny_site

if TYPE_CHECKING:
    from pathlib import Path

DEVICES = load_site(site_path("third-party-devices"))
PLACES = ["ct9", "ws9", "vna9"]
SHIMS = ["us9", "ehr9"]


def test_nothing_is_installed_on_a_device_and_a_shim_is_ours() -> None:
    assert [name for name in DEVICES.hosts if name not in DEVICES.managed] == PLACES
    assert [name for name, host in DEVICES.managed.items() if host.device is not None] == SHIMS


def test_a_devices_roles_bring_flows_certificates_and_services_as_for_every_host() -> None:
    assert {"dicom-client"} <= set(DEVICES.certificates("ct9"))
    assert DEVICES.services("ct9")["dicom-tls"].port == 2762
    called = {(flow.target, flow.service) for flow in DEVICES.flows_out("ct9")}
    assert called == {("srv1", "certificate-status"), ("ris1", "dicom-tls"), ("pacs1", "dicom-tls")}


def test_every_host_knows_a_devices_name_and_no_role_of_a_device_alone_is_played() -> None:
    variables = site_variables(DEVICES)
    assert set(PLACES) <= set(variables["site_names"])
    assert "modality" not in variables["site_roles"]
    assert {"dicom_shim", "hl7_shim"} <= set(variables["site_roles"])


def test_a_device_may_have_no_role_and_a_host_of_ours_may_not(tmp_path: Path) -> None:
    without = SITE + "  - {from: ct2, to: pacs1, service: web, why: Test}\n"
    without = change("    roles: [base, scanner]\n    ae_title: CT2", "    device: {}\n    ae_title: CT2", without)
    without = change(
        "    functions: [acquisition]\n    asset: {owner: Radiology", "    asset: {owner: Radiology", without[::1]
    )
    cut = without.index("    functions: [acquisition]", without.index("  ct2:"))
    without = without[:cut] + without[cut:].replace("    functions: [acquisition]\n", "", 1)
    assert tiny_site(tmp_path, without).hosts["ct2"].roles == []


def test_what_the_lab_itself_reads_is_offered_by_hosts_of_ours(tmp_path: Path) -> None:
    text = site_path("third-party-devices").read_text("utf-8")
    changed = text.replace(
        "roles: [trust, dicom_edge]\n    ae_title: VNA9", "roles: [trust, certificate_status]\n    ae_title: VNA9"
    )
    assert changed != text
    (tmp_path / "topology.yml").write_text(changed, "utf-8")
    with pytest.raises(Exception, match="vna9 has role certificate_status, whose service certificate-status the lab"):
        load_site(tmp_path / "topology.yml")


def test_pages_may_be_another_makers(tmp_path: Path) -> None:
    text = site_path("third-party-devices").read_text("utf-8")
    text = text.replace("roles: [trust, dicom_edge]\n    ae_title: VNA9", "roles: [trust, sign_on]\n    ae_title: VNA9")
    path = tmp_path / "pages" / "topology.yml"
    path.parent.mkdir()
    path.write_text(text, "utf-8")
    with pytest.raises(Exception, match="vna9") as raised:
        load_site(path)
    assert "the lab itself looks for" not in str(raised.value)


def test_a_device_behind_a_shim_may_stand_among_neighbours(tmp_path: Path) -> None:
    text = change(
        "    zone: scanners\n    address: 10.0.20.12\n    roles: [base, scanner]",
        "    zone: core\n    address: 10.0.10.12\n    device: {shim: true}\n    roles: [base, scanner]",
    )
    assert mistakes(tmp_path, text) == []


@pytest.mark.parametrize(
    "value", ["{image: '../x'}", "{image: x, bundle: etc}", "{image: x, bundle: /a/../b/..}", "{imag: x}"]
)
def test_what_no_engine_could_run_is_refused(tmp_path: Path, value: str) -> None:
    assert mistakes(tmp_path, change("    ae_title: CT2", f"    device: {value}\n    ae_title: CT2"))


def test_peers_are_all_flows_with_what_each_side_has_to_know() -> None:
    found = peers(DEVICES, "ct9")
    assert len(found) == len(DEVICES.flows_out("ct9")) + len(DEVICES.flows_in("ct9"))
    store = next(peer for peer in found if (peer.direction, peer.name) == ("out", "pacs1"))
    assert (store.fqdn, store.address, store.port) == ("pacs1.devices.internal", "192.168.16.10", 2762)
    assert (store.ae_title, store.permits) == ("PACS1", ("C-ECHO", "C-STORE", "N-ACTION"))
    assert (store.identity, store.certificates) == ("dicom-service.pacs1.devices.internal", ("dicom-client",))
    results = next(peer for peer in found if (peer.direction, peer.name) == ("in", "pacs1"))
    assert (results.port, results.certificates) == (2762, ("dicom",))
    status = next(peer for peer in found if peer.service == "certificate-status")
    assert status.certificates == ()


def test_a_device_without_tls_has_a_loopback_port_for_each_peer() -> None:
    assert DEVICES.plain_ports("us9") == {("dicom-tls", "pacs1"): 11200, ("dicom-tls", "ris1"): 11201}
    assert DEVICES.plain_ports("ehr9") == {("hl7-tls", "ris1"): 11300}
    assert DEVICES.plain_ports("ct9") == {}
    assert {peer.name: peer.plain for peer in peers(DEVICES, "us9") if peer.plain} == {"pacs1": 11200, "ris1": 11201}

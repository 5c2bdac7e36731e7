"""A configured lab can be kept, and a second one made from it runs beside the first, apart from it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from lab.hospital.hospital import Hospital
from lab.hospital.signed_in import person_for, run_as
from tests.lab_commands import succeed

if TYPE_CHECKING:
    from lab.engine.lab import Lab


def addresses(lab: Lab, host: str) -> dict[str, list[str]]:
    """The IPv4 addresses of each interface of a host."""
    found = json.loads(lab.run(host, ["ip", "-json", "-4", "address"]).stdout)
    return {link["ifname"]: [entry["local"] for entry in link["addr_info"]] for link in found}


def test_both_labs_are_healthy_side_by_side(lab: Lab, clone: Lab) -> None:
    succeed("status", "--lab", lab.name)
    succeed("status", "--lab", clone.name)


def test_the_clone_has_the_same_addresses_and_certificates(lab: Lab, clone: Lab) -> None:
    certificate = ["cat", "/etc/pacslab/tls/dicom.crt"]
    assert "BEGIN CERTIFICATE" in lab.run("pacs-rad", certificate).stdout
    assert lab.run("pacs-rad", certificate).stdout == clone.run("pacs-rad", certificate).stdout
    for host in lab.site.hosts:
        assert addresses(lab, host) == addresses(clone, host) != {}


def test_what_happens_in_one_lab_does_not_reach_the_other(lab: Lab, clone: Lab) -> None:
    argv = ["pacslab-ehr", "register", "--family", "Clone", "--given", "Only", "--birth-date", "19800101", "--sex", "O"]
    registrar = person_for(clone.site, "ehr1", "register-patient")
    assert run_as(Hospital(clone), "ehr1", [*argv, "--id", "CLONEONLY"], registrar).code == 0
    assert "CLONEONLY" in clone.run("ehr1", ["pacslab-ehr", "patients"]).stdout
    assert "CLONEONLY" not in lab.run("ehr1", ["pacslab-ehr", "patients"]).stdout


@pytest.mark.night
def test_the_clone_is_segmented_too(clone: Lab) -> None:
    report = succeed("verify", "segmentation", "--lab", clone.name, "--json").json
    assert report["failed"] == []

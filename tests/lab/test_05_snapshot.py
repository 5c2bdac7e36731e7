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

CERTIFICATE = ["cat", "/etc/pacslab/tls/dicom.crt"]


def addresses(lab: Lab, host: str) -> dict[str, list[str]]:
    """The IPv4 addresses of each interface of a host."""
    found = json.loads(lab.run(host, ["ip", "-json", "-4", "address"]).stdout)
    return {link["ifname"]: [entry["local"] for entry in link["addr_info"]] for link in found}


def register(lab: Lab, patient: str) -> None:
    """Have a patient registered."""
    argv = ["pacslab-ehr", "register", "--family", "Clone", "--given", "Only", "--birth-date", "19800101", "--sex", "O"]
    registrar = person_for(lab.site, "ehr1", "register-patient")
    assert run_as(Hospital(lab), "ehr1", [*argv, "--id", patient], registrar).code == 0
    assert patient in lab.run("ehr1", ["pacslab-ehr", "patients"]).stdout


@pytest.mark.night
def test_a_lab_that_is_gone_comes_back_as_it_was_saved(clone: Lab, snapshot: str) -> None:
    certificate = clone.run("pacs-rad", CERTIFICATE).stdout
    register(clone, "LATERON")
    succeed("down", "--lab", clone.name)
    succeed("up", "--from", snapshot, "--lab", clone.name)
    assert clone.run("pacs-rad", CERTIFICATE).stdout == certificate
    assert "BEGIN CERTIFICATE" in certificate
    assert "LATERON" not in clone.run("ehr1", ["pacslab-ehr", "patients"]).stdout


@pytest.mark.night
def test_two_labs_are_healthy_side_by_side(clone: Lab, second: Lab) -> None:
    succeed("status", "--lab", clone.name)
    succeed("status", "--lab", second.name)


@pytest.mark.night
def test_both_have_the_same_addresses_and_certificates(clone: Lab, second: Lab) -> None:
    assert second.run("pacs-rad", CERTIFICATE).stdout == clone.run("pacs-rad", CERTIFICATE).stdout
    for host in clone.site.hosts:
        assert addresses(clone, host) == addresses(second, host) != {}


@pytest.mark.night
def test_what_happens_in_one_lab_does_not_reach_the_other(clone: Lab, second: Lab) -> None:
    register(second, "CLONEONLY")
    assert "CLONEONLY" not in clone.run("ehr1", ["pacslab-ehr", "patients"]).stdout


@pytest.mark.night
def test_the_second_lab_is_segmented_too(second: Lab) -> None:
    report = succeed("verify", "segmentation", "--lab", second.name, "--json").json
    assert report["failed"] == []

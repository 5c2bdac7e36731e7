"""What is in a lab and on its hosts is what the register has; a stranger is found, and the collector is told."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from lab.assets.tell import PROGRAM, telling_host
from lab.hospital.collected import Collected
from lab.verify.assets.ports import PORTS
from lab.verify.assets.sabotages import mutations
from tests.lab_commands import pacslab, succeed

if TYPE_CHECKING:
    from pathlib import Path

    from lab.engine.lab import Lab


@pytest.mark.night
def test_everything_is_as_the_register_has_it(lab: Lab) -> None:
    report = succeed("verify", "assets", "--lab", lab.name, "--json").json
    assert report["failed"] == []
    assert report["skipped"] == [], "the images of the lab have their lists"
    assert report["passed"] == report["checked"] > 4 * len(lab.site.hosts)


def test_the_register_of_a_running_lab_has_packages_and_ends_of_certificates(lab: Lab, tmp_path: Path) -> None:
    file = tmp_path / "assets.cdx.json"
    told = succeed("assets", "--lab", lab.name, "--running", "--cyclonedx", str(file), "--json").json["assets"]
    assert [asset["host"] for asset in told] == list(lab.site.hosts)
    assert all(asset["packages"] for asset in told)
    assert all(own["until"] for asset in told for own in asset["certificates"])
    assert json.loads(file.read_text())["specVersion"] == "1.6"


def test_something_was_decided_about_every_known_weakness_of_running_hosts(lab: Lab) -> None:
    told = succeed("weaknesses", "--lab", lab.name, "--running", "--json").json
    assert told["unanswered"] == []
    assert told["unknown"] == {}
    assert told["weaknesses"]


def test_somebody_who_plugs_in_is_found_and_told_to_the_collector(clone: Lab) -> None:
    site = clone.site
    collected, teller = Collected(clone), telling_host(site)
    mark = collected.mark(teller)
    change = next(change for change in mutations(site) if change.promise == PORTS.id)
    undo = change.make(clone)
    try:
        ran = pacslab("verify", "assets", "--id", PORTS.id, "--lab", clone.name, "--json")
    finally:
        undo()
    assert ran.code == 1
    (found,) = ran.json["failed"]
    assert (found["id"], found["subject"]) == (PORTS.id, change.subject)
    zone = change.subject.removeprefix("zone ")
    assert collected.wait(
        teller, mark, timeout=20, program=PROGRAM, action="find-asset", reason="undeclared-asset", asset_zone=zone
    )
    assert succeed("verify", "assets", "--id", PORTS.id, "--lab", clone.name, "--json").json["failed"] == []


def test_assets_are_told_to_the_collector(clone: Lab) -> None:
    collected, teller = Collected(clone), telling_host(clone.site)
    mark = collected.mark(teller)
    succeed("assets", "--lab", clone.name, "--log", "--host", teller)
    assert collected.wait(teller, mark, timeout=20, program=PROGRAM, action="list-asset", peer=teller) is not None

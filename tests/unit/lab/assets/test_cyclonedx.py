"""The register as CycloneDX is valid by its schema, and says what is on which host and what was decided."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from lab.assets.cyclonedx import document
from lab.assets.known import Affected, Answer, Known, Response, Weakness, load_known
from lab.assets.matches import matches
from lab.assets.model import Installed, Kind
from lab.assets.register import register
from lab.images import sbom
from lab.images.recipe import Recipe
from lab.topology.load import site_names
from tests.unit.lab.assets.packages import LISTED, installed
from tests.unit.site_builder import committed_site

AT = datetime(2026, 1, 5, 9, 12, 44, tzinfo=UTC)


@cache
def validator() -> Any:
    """The schema's own judge, which takes seconds to be imported."""
    schema, judge = import_module("cyclonedx.schema"), import_module("cyclonedx.validation.json")
    return judge.JsonStrictValidator(schema.SchemaVersion.V1_6)


def written(name: str, known: list[Known]) -> str:
    site = committed_site(name)
    own = {host: installed() if host in site.managed else Installed(reason="x") for host in site.hosts}
    return document(site, register(site, Path("/nonexistent")), own, matches(known, own), AT)


def answered(answer: Answer | None) -> list[Known]:
    response = answer and Response(answer=answer, reason="because", date=date(2026, 1, 2))
    affects = [Affected(kind=Kind.DEBIAN, name="orthanc", versions="*")]
    weakness = Weakness(ids=["CVE-2020-1111"], what="x", cvss=9.8, affects=affects, source="x", response=response)
    return [Known(part="Orthanc", weakness=weakness)]


@pytest.mark.parametrize("name", site_names())
def test_the_document_of_every_site_is_valid(name: str) -> None:
    assert validator().validate_str(written(name, load_known())) is None


def test_the_validator_refuses_what_is_not_valid() -> None:
    broken = json.loads(written("reference", []))
    broken["components"][0]["type"] = "scanner"
    assert validator().validate_str(json.dumps(broken)) is not None


def test_an_images_package_list_is_valid_too() -> None:
    recipe = Recipe(("base", "web"), "ab" * 32, None, installs=True)
    assert validator().validate_str(json.dumps(sbom.document(recipe, LISTED, AT))) is None


def test_hosts_are_devices_with_owner_and_criticality_and_depend_on_their_packages() -> None:
    content = json.loads(written("reference", []))
    by_ref: dict[str, Any] = {entry["bom-ref"]: entry for entry in content["components"]}
    host = by_ref["host:pacs-rad"]
    facts = {entry["name"]: entry["value"] for entry in host["properties"]}
    assert host["type"] == "device"
    assert facts["pacslab:asset:owner"] == "Radiology"
    assert facts["pacslab:asset:criticality"] == "high"
    assert facts["pacslab:asset:regulated"] == "true"
    needs = {entry["ref"]: entry.get("dependsOn", []) for entry in content["dependencies"]}
    assert {by_ref[ref]["name"] for ref in needs["host:pacs-rad"]} == {
        "orthanc",
        "libdcmtk20",
        "tzdata",
        "pynetdicom",
        "@ohif/app",
    }
    assert set(needs["site:reference"]) == {ref for ref in by_ref if ref.startswith("host:")}


def test_a_package_of_many_hosts_stands_once() -> None:
    names = [entry["name"] for entry in json.loads(written("reference", []))["components"]]
    assert names.count("orthanc") == 1


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (Answer.ACCEPT, {"state": "exploitable", "response": ["will_not_fix"]}),
        (Answer.MITIGATE, {"state": "exploitable", "response": ["workaround_available"]}),
        (Answer.AVOID, {"state": "not_affected", "justification": "code_not_reachable"}),
        (None, {"state": "in_triage"}),
    ],
)
def test_a_decision_is_written_in_the_words_of_cyclonedx(answer: Answer | None, expected: dict[str, Any]) -> None:
    content = json.loads(written("reference", answered(answer)))
    (found,) = content["vulnerabilities"]
    analysis = {key: value for key, value in found["analysis"].items() if key != "detail"}
    assert analysis == expected
    assert found["ratings"][0] == {"method": "CVSSv31", "score": 9.8, "severity": "critical"}
    assert [entry["ref"].partition("@")[0] for entry in found["affects"]] == ["pkg:deb/debian/orthanc"]


def test_what_no_host_has_is_left_out() -> None:
    assert "CVE-2025-0896" not in written("reference", load_known())

"""Package lists are CycloneDX documents, and say what is in an image."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from lab.images import list_packages, sbom
from lab.images.recipe import Recipe
from tests.unit.json_schema import misfits

if TYPE_CHECKING:
    from pathlib import Path

RECIPE = Recipe(("base", "web"), "ab" * 32, None, installs=True)
PACKAGES = {
    "debian": [
        {"name": "libc6", "version": "1:2.41-12+b1", "architecture": "amd64", "licences": ["LGPL-2.1+"]},
        {"name": "adduser", "version": "3.152", "architecture": "all", "licences": []},
    ],
    "python": [{"name": "Typing_Extensions", "version": "4.16.0", "licences": ["PSF-2.0"]}],
    "npm": [{"name": "@ohif/app", "version": "3.13.2", "licences": ["MIT"]}],
}
# The parts of the CycloneDX 1.6 schema that these documents use.
SCHEMA = {
    "type": "object",
    "required": ["bomFormat", "specVersion", "components"],
    "additionalProperties": False,
    "properties": {
        "$schema": {"enum": ["http://cyclonedx.org/schema/bom-1.6.schema.json"]},
        "bomFormat": {"enum": ["CycloneDX"]},
        "specVersion": {"enum": ["1.6"]},
        "serialNumber": {
            "pattern": "^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$",
        },
        "version": {"type": "integer", "minimum": 1},
        "metadata": {
            "type": "object",
            "additionalProperties": False,
            "properties": {
                "timestamp": {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$"},
                "component": {"$ref": "#/$defs/component"},
            },
        },
        "components": {"type": "array", "uniqueItems": True, "items": {"$ref": "#/$defs/component"}},
    },
    "$defs": {
        "component": {
            "type": "object",
            "required": ["type", "name"],
            "additionalProperties": False,
            "properties": {
                "type": {"enum": ["container", "library"]},
                "bom-ref": {"type": "string", "minLength": 1},
                "name": {"type": "string"},
                "version": {"type": "string", "maxLength": 1024},
                "purl": {"type": "string", "pattern": "^pkg:(deb/debian|pypi|npm)/"},
                "licenses": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "required": ["license"],
                        "properties": {"license": {"type": "object", "required": ["name"]}},
                    },
                },
                "properties": {
                    "type": "array",
                    "items": {"type": "object", "required": ["name", "value"]},
                },
            },
        }
    },
}


@pytest.fixture
def document() -> dict[str, Any]:
    return sbom.document(RECIPE, PACKAGES, datetime(2026, 1, 2, tzinfo=UTC))


def test_a_document_follows_the_schema(document: dict[str, Any]) -> None:
    assert misfits(document, SCHEMA) == []


def test_every_package_is_a_component_with_a_package_url(document: dict[str, Any]) -> None:
    assert [component["purl"] for component in document["components"]] == [
        "pkg:deb/debian/adduser@3.152?arch=all&distro=trixie",
        "pkg:deb/debian/libc6@1%3A2.41-12%2Bb1?arch=amd64&distro=trixie",
        "pkg:npm/%40ohif/app@3.13.2",
        "pkg:pypi/typing-extensions@4.16.0",
    ]


def test_references_are_unique(document: dict[str, Any]) -> None:
    references = [component["bom-ref"] for component in document["components"]]
    assert len(references) == len(set(references))


def test_the_serial_number_is_that_of_the_image(document: dict[str, Any]) -> None:
    again = sbom.document(RECIPE, PACKAGES, datetime(2027, 1, 1, tzinfo=UTC))
    other = sbom.document(Recipe((), "cd" * 32, None, installs=True), PACKAGES, datetime(2026, 1, 2, tzinfo=UTC))
    assert document["serialNumber"] == again["serialNumber"] != other["serialNumber"]


def test_a_document_is_kept_under_the_images_name(document: dict[str, Any], tmp_path: Path) -> None:
    path = sbom.write(document, tmp_path / "sbom", RECIPE)
    assert path.name == "web-abababababab.json"
    assert json.loads(path.read_text("utf-8")) == document


def test_licences_come_from_machine_readable_copyright_files() -> None:
    text = "Files: *\nLicense: GPL-2+\n text\n\nLicense: Expat\n Permission\n\nNot a License: x\n"
    assert list_packages.LICENCE.findall(text) == ["GPL-2+", "Expat"]

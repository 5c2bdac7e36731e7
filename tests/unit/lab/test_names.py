"""The driver reads what roles say of themselves: no role and no service is named in what builds and runs a lab."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

import pytest

from lab.settings import ROOT
from lab.topology.catalog import load_catalog

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PACKAGES = ("topology", "engine", "operate", "trust", "images", "ansible")
CATALOG = load_catalog()
NAMES = {
    *CATALOG,
    *(name for meta in CATALOG.values() for name in meta.services),
    *(name for meta in CATALOG.values() for name in meta.certificate_profiles),
    *(name for meta in CATALOG.values() for name in (*meta.secrets, *meta.secrets_of_people)),
    *(f"role_{role}" for role in CATALOG),
    *(f"role:{role}" for role in CATALOG),
}
PROVISIONS = {"certificate-status", "log-collection", "administration", "audit-repository"}
"""What the lab itself looks for at a service (``provides``): words of the catalogue's form, not names."""
OTHER_WORDS = {"modality", "ocsp"}
"""A fact of a host (DICOM Modality) and a protocol (RFC 6960), which roles and services are called after."""

FILES = [path for package in PACKAGES for path in sorted((ROOT / "lab" / package).rglob("*.py"))]


def texts(path: Path) -> Iterator[tuple[int, str]]:
    """Every text in a module's code; docstrings and the examples that a form shows are no code."""
    tree = ast.parse(path.read_text("utf-8"))
    shown = {
        id(part)
        for node in ast.walk(tree)
        for part in (
            ast.walk(node.value)
            if (isinstance(node, ast.keyword) and node.arg == "examples")
            or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
            else ()
        )
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in shown:
            yield node.lineno, node.value


def named(text: str) -> set[str]:
    """The roles and services that a text names: as a whole, or as a part of a path."""
    return {text, *re.findall(r"roles/(\w+)", text)} & NAMES - PROVISIONS - OTHER_WORDS


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT / "lab")))
def test_no_role_and_no_service_is_named(path: Path) -> None:
    assert [(line, text) for line, text in texts(path) if named(text)] == []


def test_a_name_would_be_noticed(tmp_path: Path) -> None:
    module = tmp_path / "module.py"
    module.write_text('"""orthanc"""\nX = "orthanc" if y else f"roles/{z}"\nPATH = "roles/ris/files"\n', "utf-8")
    assert [(line, text) for line, text in texts(module) if named(text)] == [(3, "roles/ris/files"), (2, "orthanc")]

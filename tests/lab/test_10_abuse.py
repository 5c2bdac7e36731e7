"""Abuse cases are proven on a clone, which is gone afterwards."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from lab.engine import names
from tests.lab_commands import succeed

if TYPE_CHECKING:
    from lab.engine.lab import Lab

pytestmark = pytest.mark.night

SOME = {
    "abuse.dicom-other-ae-title": "holds the forged image",
    "abuse.hl7-duplicate": "keeps a patient whom nobody registered",
    "abuse.syslog-other-host": "the line is kept in the log of",
}
"""One for an edge, one for an application behind it, one for the collector; and the harm that has to be seen."""


def test_cases_are_refused_as_shipped_and_succeed_without_their_control(lab: Lab, snapshot: str) -> None:
    words = [word for name in SOME for word in ("--id", name)]
    report = succeed("verify", "abuse", "--lab", lab.name, "--from", snapshot, *words, "--json").json
    assert (report["cases"], report["proven"], report["unproven"]) == (len(SOME), len(SOME), [])
    kept = succeed("runs", "show", report["run"], "--lab", lab.name, "--json").json
    results: dict[str, dict[str, Any]] = {result["id"]: result for result in kept["results"]}
    for name, harm in SOME.items():
        shipped, _, weakened = results[name]["observed"].partition("; without the control: ")
        assert shipped.startswith("as shipped: refused")
        assert harm in weakened
        assert harm not in shipped


def test_the_clone_is_gone(lab: Lab) -> None:
    assert lab.docker.containers(f"{names.LAB}={lab.name}-abuse") == []

"""The radiology workflow passes, and says what it saw."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.lab_commands import succeed

if TYPE_CHECKING:
    from lab.engine.lab import Lab

KEYS = ["id", "title", "host", "transaction", "controls", "expected", "observed", "passed", "seconds"]


def test_the_radiology_workflow_passes_twice_on_the_same_lab(lab: Lab) -> None:
    for _ in range(2):
        result = succeed("scenario", "run", "radiology-workflow", "--lab", lab.name, "--json").json
        assert list(result) == ["scenario", "passed", "steps"]
        assert result["passed"] is True
        assert all(list(step) == KEYS and step["passed"] for step in result["steps"])
    kept = sorted((lab.folder / "runs").glob("*-radiology-workflow.json"))
    assert json.loads(kept[-1].read_text("utf-8"))["steps"] == result["steps"]


def test_no_credential_of_a_refused_attempt_stays_on_a_host(lab: Lab) -> None:
    for host in lab.site.hosts:
        assert lab.run(host, ["test", "-e", "/run/pacslab-misuse"]).code == 1

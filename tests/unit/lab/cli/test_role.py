"""Which roles ``pacslab role`` means; a trial itself needs an engine."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from lab.cli.main import main
from lab.topology.catalog import load_catalog
from lab.topology.load import site_names
from lab.trials.description import subject_of
from lab.trials.record import Tried, key
from tests.unit.site_builder import committed_site

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def listed(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """What the command prints as JSON for some words, with its exit code."""
    monkeypatch.setenv("PACSLAB_STATE", str(tmp_path))

    def run(*words: str) -> tuple[int | str | None, Any]:
        with pytest.raises(SystemExit) as ended:
            main(["role", "--list", "--json", *words])
        return ended.value.code, json.loads(capsys.readouterr().out)

    return run


def test_every_role_can_be_tried_and_what_others_build_on_first(listed: Callable[..., Any]) -> None:
    code, roles = listed("--all")
    assert (code, sorted(roles)) == (0, sorted(load_catalog()))
    assert roles[0] == "base"


def test_roles_that_passed_as_they_are_have_not_changed(listed: Callable[..., Any], tmp_path: Path) -> None:
    subject = subject_of([committed_site(name) for name in site_names()], "ris")
    Tried(tmp_path).note("ris", key(subject))
    _, roles = listed("--changed")
    assert set(roles) == set(load_catalog()) - {"ris"}
    assert listed("ris") == (0, ["ris"])


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ([], "Which roles"),
        (["ris", "--all"], "Which roles"),
        (["no_such_role"], "no_such_role"),
        (["--since", "no-such-commit"], "no-such-commit"),
    ],
)
def test_what_cannot_be_meant_is_refused(listed: Callable[..., Any], words: list[str], says: str) -> None:
    code, answer = listed(*words)
    assert code == 2
    assert says in answer["message"]

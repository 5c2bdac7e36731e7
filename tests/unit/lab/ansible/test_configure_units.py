"""The action configure asks systemd for what is missing, in as few commands as there are kinds of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.unit.lab.ansible.plugins import plugin
from tests.unit.lab.ansible.systemd import RUNNING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.unit.lab.ansible.systemd import Systemd

command = plugin("module_utils.command")
units = plugin("module_utils.units")


def plan(
    *, enable: Sequence[str] = (), restart: Sequence[str] = (), reload: Sequence[str] = (), **states: dict[str, str]
) -> list[str]:
    """The commands for units in these states, as text."""
    known = {f"{name}.service": {**RUNNING, **state} for name, state in states.items()}
    return [
        " ".join(argv) for argv in units.plan(known, enable=list(enable), restart=list(restart), reload=list(reload))
    ]


def test_what_runs_and_is_enabled_is_left_alone() -> None:
    assert plan(enable=["a.service"], a={}) == []


def test_units_are_handled_together() -> None:
    stopped = {"UnitFileState": "disabled", "ActiveState": "inactive"}
    assert plan(enable=["a.service", "b.service"], a=stopped, b=stopped) == [
        "systemctl enable a.service b.service",
        "systemctl --no-block start a.service b.service",
    ]


def test_a_restart_starts_too_so_nothing_is_started_twice() -> None:
    assert plan(enable=["a.service"], restart=["a.service"], a={"ActiveState": "inactive"}) == [
        "systemctl --no-block restart a.service"
    ]


def test_a_unit_that_failed_is_given_a_new_chance() -> None:
    assert plan(enable=["a.service"], a={"ActiveState": "failed"}) == [
        "systemctl reset-failed a.service",
        "systemctl --no-block start a.service",
    ]


def test_only_what_runs_is_reloaded() -> None:
    assert plan(reload=["a.service", "b.service"], a={}, b={"ActiveState": "inactive"}) == [
        "systemctl --no-block reload-or-restart a.service"
    ]


def test_what_is_just_starting_may_have_read_its_files_too_early_and_is_restarted() -> None:
    states = {"a": {"ActiveState": "activating"}, "b": {"ActiveState": "reloading"}}
    assert plan(enable=["a.service"], reload=["a.service", "b.service"], **states) == [
        "systemctl --no-block restart a.service",
        "systemctl --no-block reload-or-restart b.service",
    ]


def test_what_is_restarted_is_not_reloaded_as_well() -> None:
    assert plan(restart=["a.service"], reload=["a.service"], a={}) == ["systemctl --no-block restart a.service"]


@pytest.mark.parametrize("state", ["static", "generated", "indirect", "alias"])
def test_units_that_cannot_be_enabled_are_only_started(state: str) -> None:
    assert plan(enable=["a.service"], a={"UnitFileState": state}) == []


def test_a_one_shot_that_has_run_has_done_its_work() -> None:
    done = {"Type": "oneshot", "ActiveState": "inactive", "ExecMainStartTimestampMonotonic": "123"}
    fresh = {**done, "ExecMainStartTimestampMonotonic": "0"}
    assert plan(enable=["a.service"], a=done) == []
    assert plan(enable=["a.service"], a=fresh) == ["systemctl --no-block start a.service"]


def test_a_unit_that_waits_for_another_one_is_not_started_again() -> None:
    assert plan(enable=["a.service"], a={"ActiveState": "inactive", "Job": "214"}) == []
    assert plan(enable=["a.service"], a={"ActiveState": "inactive", "Job": ""}) == [
        "systemctl --no-block start a.service"
    ]
    stopping = {"ActiveState": "deactivating", "Job": "215"}
    assert plan(enable=["a.service"], a=stopping) == ["systemctl --no-block start a.service"]


def test_files_that_systemd_reads_are_known() -> None:
    assert units.is_unit_file("/etc/systemd/system/a.service.d/b.conf")
    assert not units.is_unit_file("/etc/systemd/journald.conf.d/b.conf")


def test_unit_files_that_changed_are_read_again_first(systemd: Systemd) -> None:
    units.ask_systemd(enable=["a.service"], restart=[], reload=[], fresh=True, check=False)
    assert systemd.asked == ["systemctl daemon-reload", "systemctl show"]


def test_a_unit_that_is_not_there_is_named(systemd: Systemd) -> None:
    with pytest.raises(command.ConfigureError, match=r"gone\.service is not-found"):
        units.ask_systemd(enable=["gone.service"], restart=[], reload=[], fresh=False, check=False)
    assert systemd.asked == ["systemctl show"]


def test_check_mode_only_looks(systemd: Systemd) -> None:
    asks = units.ask_systemd(enable=[], restart=["a.service"], reload=[], fresh=True, check=True)
    assert asks == [["systemctl", "--no-block", "restart", "a.service"]]
    assert systemd.asked == ["systemctl show"]


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        (b"[Service]\n[Install]\nWantedBy=multi-user.target\n", ["enable", "--no-block start"]),
        (b"[Service]\n", ["--no-block start"]),
        (None, ["enable", "--no-block start"]),  # a package that is not installed yet brings it
    ],
)
def test_check_mode_knows_what_a_unit_that_is_not_there_yet_will_need(
    systemd: Systemd, text: bytes | None, asked: list[str]
) -> None:
    del systemd
    coming = {} if text is None else {"gone.service": text}
    asks = units.ask_systemd(enable=["gone.service"], restart=[], reload=[], fresh=True, check=True, coming=coming)
    assert asks == [["systemctl", *words.split(), "gone.service"] for words in asked]
    assert units.absent(["a.service", "gone.service"], coming) == ([] if text else ["gone.service"])


def test_an_instance_is_brought_by_its_template() -> None:
    assert units.unit_of("/etc/systemd/system/a@.service") == "a@.service"
    assert units.unit_of("/etc/systemd/system/a@b.service.d/c.conf") is None
    assert units.expected("a@b.service", {"LoadState": "not-found"}, {"a@.service": b"[Unit]"}) == {
        "LoadState": "loaded",
        "ActiveState": "inactive",
        "UnitFileState": "static",
    }


@pytest.mark.parametrize(
    ("state", "asked"), [("disabled", [["systemctl", "--root=/", "enable", "a.service"]]), ("enabled", [])]
)
def test_in_an_image_check_mode_says_what_would_be_enabled(
    systemd: Systemd, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, state: str, asked: list[list[str]]
) -> None:
    systemd.enablement["a.service"] = state
    monkeypatch.setattr(units, "RUNNING", tmp_path / "absent")
    assert units.ask_systemd(enable=["a.service"], restart=[], reload=[], fresh=True, check=True) == asked
    assert systemd.asked == []


def test_in_an_image_units_are_enabled_and_nothing_is_started(
    systemd: Systemd, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    systemd.enablement["a.service"] = "disabled"
    monkeypatch.setattr(units, "RUNNING", tmp_path / "absent")
    units.ask_systemd(enable=["a.service"], restart=["a.service"], reload=[], fresh=True, check=False)
    assert systemd.asked == ["systemctl --root=/ enable a.service"]


@pytest.mark.parametrize("told", ["enabled\n", "", "enabled\nenabled\nenabled\n"])
def test_whether_units_are_enabled_is_believed_only_where_systemctl_tells_of_each(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, told: str
) -> None:
    (tmp_path / "systemctl").write_text(f"#!/bin/sh\nprintf '{told}'\n")
    (tmp_path / "systemctl").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    assert units.enablement(["a.service", "b.service"]) == {"a.service": "", "b.service": ""}
    assert units.enablement([]) == {}

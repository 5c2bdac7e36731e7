"""A host that is made from an image starts its services once, when all of its configuration is there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.unit.lab.ansible.plugins import plugin
from tests.unit.lab.ansible.systemd import RUNNING

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.lab.ansible.systemd import Systemd

command = plugin("module_utils.command")
units = plugin("module_utils.units")


@pytest.fixture
def waiting(systemd: Systemd) -> Systemd:
    """A host that waits."""
    units.UNCONFIGURED.touch()
    return systemd


def ask(*, enable: list[str], check: bool = False, fresh: bool = False, **others: list[str]) -> list[list[str]]:
    lists = {"restart": [], "reload": [], **others}
    return list(units.ask_systemd(enable=enable, fresh=fresh, check=check, **lists))


def test_what_a_task_starts_is_enabled_and_noted(waiting: Systemd) -> None:
    waiting.enablement["new.service"] = "disabled"
    assert ask(enable=["new.service"], restart=["new.service"]) == [["systemctl", "--root=/", "enable", "new.service"]]
    assert set(units.UNCONFIGURED.read_text().split()) == {"new.service"}
    assert not [asked for asked in waiting.asked if "start" in asked]


def test_what_is_enabled_already_is_not_enabled_again(waiting: Systemd) -> None:
    assert ask(enable=["new.service"]) == []
    assert waiting.asked == []
    assert units.UNCONFIGURED.read_text() == "new.service\n"


def test_what_runs_meanwhile_is_told_at_once_and_not_noted(waiting: Systemd) -> None:
    assert ask(enable=["a.service"], reload=["a.service", "new.service"], fresh=True) == [
        ["systemctl", "--no-block", "reload-or-restart", "a.service"]
    ]
    assert waiting.asked[-2:] == ["systemctl daemon-reload", "systemctl --no-block reload-or-restart a.service"]
    assert units.UNCONFIGURED.read_text() == ""


@pytest.mark.usefixtures("waiting")
def test_what_takes_long_starts_at_once() -> None:
    asks = ask(enable=["new.service", "a.service"], early=["new.service"], restart=["new.service"])
    assert asks == [["systemctl", "--no-block", "restart", "new.service"]]
    assert units.UNCONFIGURED.read_text() == "a.service\n"


def test_a_host_that_runs_has_nothing_early(systemd: Systemd) -> None:
    assert ask(enable=["new.service"], early=["new.service"]) == [["systemctl", "--no-block", "start", "new.service"]]
    assert not units.UNCONFIGURED.exists()
    assert systemd.asked == ["systemctl show", "systemctl --no-block start new.service"]


def test_check_mode_notes_nothing(waiting: Systemd) -> None:
    waiting.enablement["new.service"] = "disabled"
    asks = ask(enable=["new.service"], reload=["a.service"], fresh=True, check=True)
    assert [argv[-2:] for argv in asks] == [["enable", "new.service"], ["reload-or-restart", "a.service"]]
    assert (units.UNCONFIGURED.read_text(), waiting.asked) == ("", ["systemctl show"])
    assert units.start_noted(check=True) == [["systemctl", "--no-block", "start", "multi-user.target"]]
    assert units.UNCONFIGURED.exists()


def test_the_host_starts_with_what_was_noted_each_once(waiting: Systemd) -> None:
    ask(enable=["new.service"])
    ask(enable=["new.service", "b.socket"])
    waiting.states["b.socket"] = {**RUNNING, "ActiveState": "inactive"}
    start = ["systemctl", "--no-block", "start", "multi-user.target", "new.service", "b.socket"]
    assert units.start_noted(check=False) == [start]
    assert waiting.asked[-1] == " ".join(start)
    assert units.start_noted(check=False) == []


def test_units_that_systemd_has_read_and_that_changed_are_read_again(waiting: Systemd) -> None:
    ask(enable=["new.service"])
    waiting.states["new.service"] = {**waiting.states["new.service"], "NeedDaemonReload": "yes"}
    units.start_noted(check=False)
    assert waiting.asked[-2] == "systemctl daemon-reload"


def test_a_host_whose_start_is_refused_goes_on_waiting(waiting: Systemd, monkeypatch: pytest.MonkeyPatch) -> None:
    ask(enable=["new.service"])

    def refuse(argv: list[str]) -> str:
        if "start" in argv:
            raise command.ConfigureError("no")
        return waiting(argv)

    monkeypatch.setattr(units, "run", refuse)
    with pytest.raises(command.ConfigureError):
        units.start_noted(check=False)
    assert units.UNCONFIGURED.read_text() == "new.service\n"


def test_a_host_that_was_configured_is_left_alone(systemd: Systemd, tmp_path: Path) -> None:
    assert (units.start_noted(check=False), systemd.asked) == ([], [])
    assert not (tmp_path / "unconfigured").exists()

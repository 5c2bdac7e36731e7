"""Enable, start, restart and reload systemd units without waiting for them: health decides whether a host works."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from ansible_collections.pacslab.lab.plugins.module_utils.command import ConfigureError, run

RUNNING = Path("/run/systemd/system")  # there exactly while systemd is process 1, sd_booted(3)
UNCONFIGURED = Path("/var/lib/pacslab/unconfigured")
"""There while a host waits, since it was made, for its configuration; holds the units to start then, one a line.

An image brings it, and the generator that role ``base`` installs then has systemd start no service.
"""
PROPERTIES = (
    "LoadState,ActiveState,UnitFileState,Type,RemainAfterExit,NeedDaemonReload,ExecMainStartTimestampMonotonic,Job"
)
UNIT_FILE = re.compile(r"^(/etc|/run|/usr/lib|/lib)/systemd/system/")
MISSING = {"not-found", "masked", "bad-setting", "error"}

State = dict[str, str]


def is_unit_file(path: str) -> bool:
    """Whether systemd reads units from this path."""
    return UNIT_FILE.match(path) is not None


def unit_of(path: str) -> str | None:
    """The unit that this file defines; None for a fragment of one, and for any other file."""
    return path.rpartition("/")[2] if is_unit_file(path) and not path.rpartition("/")[0].endswith(".d") else None


def ask_systemd(
    *,
    enable: list[str],
    restart: list[str],
    reload: list[str],
    fresh: bool,
    check: bool,
    early: list[str] | None = None,
    coming: dict[str, bytes] | None = None,
) -> list[list[str]]:
    """Bring the units to what is asked, and return the commands that took (in check mode: would take).

    Args:
        enable: units to enable, and to start where they do not run.
        restart: units to restart, stopped ones included.
        reload: units to reload; those that cannot, or are just starting, are restarted; those that do not run or exist
            are left alone.
        fresh: unit files changed, so systemd has to read them again first.
        early: units to enable that start at once also on a host that waits for its configuration.
        coming: in check mode, the text of each unit that the task would write, by name.
        check: change nothing.

    Raises:
        ConfigureError: a unit to enable or restart does not exist or cannot be loaded. In check mode one that does not
            exist may be brought by what has not run; it is taken for one that can be enabled.
    """
    names = list(dict.fromkeys([*enable, *restart, *reload]))
    if not names:
        return []
    if not RUNNING.is_dir():
        return _enable_offline(enable, check=check)
    if UNCONFIGURED.exists():
        return _note(enable=enable, early=early or [], restart=restart, reload=reload, fresh=fresh, check=check)
    if fresh and not check:
        run(["systemctl", "daemon-reload"])
    states = show(names)
    if not check and not fresh and any(state.get("NeedDaemonReload") == "yes" for state in states.values()):
        run(["systemctl", "daemon-reload"])
        states = show(names)
    if check:
        states = {name: expected(name, state, coming or {}) for name, state in states.items()}
    _refuse_missing(states, [*enable, *restart])
    asks = plan(states, enable=enable, restart=restart, reload=reload)
    if not check:
        for argv in asks:
            run(argv)
    return asks


def plan(states: dict[str, State], *, enable: list[str], restart: list[str], reload: list[str]) -> list[list[str]]:
    """The commands that bring units from their states to what is asked, at most one of each kind.

    A unit that is just starting may have read its files before they changed, and systemd drops the reload of such a
    unit without a word, so it is restarted instead.
    """
    disabled = [unit for unit in enable if states[unit].get("UnitFileState") in {"disabled", "linked"}]
    stopped = [unit for unit in enable if unit not in restart and not _runs(states[unit])]
    rest = [unit for unit in reload if unit not in restart and unit not in stopped]
    reloaded = [unit for unit in rest if states[unit]["ActiveState"] in {"active", "reloading", "refreshing"}]
    restarted = [*restart, *(unit for unit in rest if states[unit]["ActiveState"] == "activating")]
    failed = [unit for unit in [*stopped, *restart] if states[unit]["ActiveState"] == "failed"]
    wanted = [
        (["enable"], disabled),  # systemd reads its units again, or it goes on saying that they are disabled
        (["reset-failed"], failed),  # else a unit that failed often lately may refuse to start
        (["--no-block", "start"], stopped),
        (["--no-block", "restart"], list(dict.fromkeys(restarted))),
        (["--no-block", "reload-or-restart"], reloaded),
    ]
    return [["systemctl", *verb, *units] for verb, units in wanted if units]


def show(names: list[str]) -> dict[str, State]:
    """Ask systemd for the states of several units at once."""
    output = run(["systemctl", "show", f"--property={PROPERTIES}", "--", *names])
    blocks = output.split("\n\n")
    return {
        name: dict(line.split("=", 1) for line in block.splitlines() if "=" in line)
        for name, block in zip(names, blocks, strict=True)
    }


def absent(names: list[str], coming: dict[str, bytes]) -> list[str]:
    """Units that are neither there nor among those that the task would write."""
    if not names or not RUNNING.is_dir():
        return []
    return [
        name for name, state in show(names).items() if state["LoadState"] == "not-found" and not _text(name, coming)
    ]


def expected(name: str, state: State, coming: dict[str, bytes]) -> State:
    """What the state of a unit that is not there will be once its file is."""
    if state["LoadState"] != "not-found":
        return state
    text = _text(name, coming)
    enabled = "static" if text is not None and b"[Install]" not in text else "disabled"
    return {**state, "LoadState": "loaded", "ActiveState": "inactive", "UnitFileState": enabled}


def _text(name: str, coming: dict[str, bytes]) -> bytes | None:
    """The text of a unit that would be written, under its own name or its template's."""
    stem, _, kind = name.rpartition(".")
    return coming.get(name) or coming.get(f"{stem.partition('@')[0]}@.{kind}")


def _runs(state: State) -> bool:
    """Active or about to be; a one-shot that has run since boot has done its work."""
    if state["ActiveState"] in {"active", "activating", "reloading", "refreshing"}:
        return True
    if state["ActiveState"] == "inactive" and state.get("Job", "0") not in {"", "0"}:
        return True  # it waits for a unit that comes before it
    ran = state.get("ExecMainStartTimestampMonotonic", "0") not in {"", "0"}
    return state.get("Type") == "oneshot" and state["ActiveState"] == "inactive" and ran


def _refuse_missing(states: dict[str, State], wanted: list[str]) -> None:
    for name in wanted:
        if states[name]["LoadState"] in MISSING:
            raise ConfigureError(
                f"unit {name} is {states[name]['LoadState']} on this host; "
                "the role's install.yml or a file of this task must bring it"
            )


def _note(
    *, enable: list[str], early: list[str], restart: list[str], reload: list[str], fresh: bool, check: bool
) -> list[list[str]]:
    """On a host that waits for its configuration: enable, and note what is to be started once all of it is there.

    The few units that run meanwhile, the packet filter among them, are told of their new files at once.
    """
    asks = _enable_offline(enable, check=check)  # first, so that systemd tells of early units that they are enabled
    names = [*early, *restart, *reload]
    states = show(names) if names else {}
    now = {name for name, state in states.items() if state["ActiveState"] != "inactive" or name in early}
    told = plan(
        states,
        enable=early,
        restart=[unit for unit in restart if unit in now],
        reload=[unit for unit in reload if unit in now],
    )
    if not check:
        with UNCONFIGURED.open("a", encoding="utf-8") as noted:
            noted.writelines(f"{unit}\n" for unit in [*enable, *restart] if unit not in now)
        for argv in [["systemctl", "daemon-reload"], *told] if fresh and told else told:
            run(argv)
    return asks + told


def start_noted(*, check: bool) -> list[list[str]]:
    """Start a host that waited for its configuration: all that it starts by itself, and what was noted.

    An interruption loses nothing: the host counts as waiting until systemd has its orders.
    """
    if not UNCONFIGURED.exists():
        return []
    noted = list(dict.fromkeys(UNCONFIGURED.read_text("utf-8").split()))
    asks = [["systemctl", "--no-block", "start", "multi-user.target", *noted]]
    if noted and any(state["NeedDaemonReload"] == "yes" for state in show(noted).values()):
        asks.insert(0, ["systemctl", "daemon-reload"])
    if not check:
        for argv in asks:
            run(argv)
        UNCONFIGURED.unlink()
    return asks


def _enable_offline(enable: list[str], *, check: bool) -> list[list[str]]:
    """Make the links of units to enable, without systemd: there is none, or it is to read them later.

    Units that have theirs are not named again: for one that has an init script too, Debian's ``systemctl enable`` has
    systemd read all of its units again, twice.
    """
    disabled = [unit for unit, state in enablement(enable).items() if state in {"", "disabled", "linked", "not-found"}]
    argv = ["systemctl", "--root=/", "enable", *disabled]
    if not disabled:
        return []
    return [argv] if check or run(argv) else []  # it prints the links it makes


def enablement(names: list[str]) -> dict[str, str]:
    """Whether units are enabled, as ``systemctl`` reads it from the files; empty for one that is not there yet."""
    if not names:
        return {}
    argv = ["systemctl", "--root=/", "is-enabled", *names]
    done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    told = done.stdout.decode().split()
    return dict(zip(names, told, strict=True)) if len(told) == len(names) else dict.fromkeys(names, "")

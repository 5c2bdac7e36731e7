"""What is read of processes: one that has only been forked is waited for, one that stays as it is is told."""

from __future__ import annotations

from typing import Any

import pytest

from lab.verify.hardening.programs import processes

FIRST = {"pid": 1, "ppid": 0, "name": "systemd", "arguments": "/sbin/init"}
FORKED = {"pid": 7, "ppid": 1, "name": "systemd", "arguments": "/sbin/init"}
PROGRAM = {"pid": 7, "ppid": 1, "name": "crl-fetch", "arguments": "/usr/bin/python3 crl-fetch"}
USERS = {"pid": 9, "ppid": 1, "name": "systemd", "arguments": "/usr/lib/systemd/systemd --user"}


def looks(*each: list[dict[str, Any]]) -> Any:
    """A machine that shows these processes, one look after the other; the last stays."""
    left = list(each)

    def look() -> dict[int, dict[str, Any]]:
        return {facts["pid"]: facts for facts in (left.pop(0) if len(left) > 1 else left[0])}

    return look


def test_a_copy_of_process_1_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "everything", looks([FIRST, FORKED], [FIRST, PROGRAM]))
    assert processes.settled()[7] == PROGRAM


def test_a_copy_of_process_1_that_stays_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "everything", looks([FIRST, FORKED]))
    monkeypatch.setattr(processes, "SETTLE_SECONDS", 0.2)
    assert processes.settled()[7] == FORKED


@pytest.mark.parametrize("process", [USERS, {**FORKED, "ppid": 5}])
def test_what_only_resembles_it_is_not_waited_for(monkeypatch: pytest.MonkeyPatch, process: dict[str, Any]) -> None:
    monkeypatch.setattr(processes, "everything", looks([FIRST, process], [FIRST]))
    assert processes.settled()[process["pid"]] == process

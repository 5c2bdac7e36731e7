"""How Ansible runs its tasks: through Mitogen, which costs a fifth of the processor time, or as Ansible ships."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from lab.errors import MachineNotReadyError, UsageError

TaskOrder = Literal["linear", "free"]
"""linear: all hosts finish a task before the next begins; free: no host waits for another."""

VARIABLE = "PACSLAB_ANSIBLE_STRATEGY"


def environment(order: TaskOrder) -> dict[str, str]:
    """Environment that makes Ansible run tasks in this order.

    ``PACSLAB_ANSIBLE_STRATEGY`` chooses: ``mitogen`` (the default) or ``linear`` for Ansible's own.

    Raises:
        UsageError: the variable has another value.
        MachineNotReadyError: what the choice needs is not installed.
    """
    choice = os.environ.get(VARIABLE) or "mitogen"
    if choice == "mitogen":
        return {"ANSIBLE_STRATEGY": f"mitogen_{order}", "ANSIBLE_STRATEGY_PLUGINS": str(_mitogen_plugins())}
    if choice == "linear":
        _require_docker_connection()
        return {"ANSIBLE_STRATEGY": order}
    raise UsageError(f"{VARIABLE} is {choice!r}.", remedy="Use mitogen or linear, or leave it unset.")


def _mitogen_plugins() -> Path:
    spec = find_spec("ansible_mitogen")
    if spec is None or not spec.submodule_search_locations:
        raise MachineNotReadyError(
            "Mitogen is not installed beside pacslab.", remedy=f"Run 'make setup', or set {VARIABLE}=linear."
        )
    return Path(spec.submodule_search_locations[0]) / "plugins" / "strategy"


def _require_docker_connection() -> None:
    try:
        found = find_spec("ansible_collections.community.docker")
    except ModuleNotFoundError:
        found = None
    if found is None:
        raise MachineNotReadyError(
            f"{VARIABLE}=linear needs the collection community.docker, which is not installed.",
            remedy=f"Install the package 'ansible' beside pacslab, or unset {VARIABLE} to go through Mitogen.",
        )

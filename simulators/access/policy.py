"""What roles may do, as the site's policy says: ``/etc/pacslab/access.json``."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from simulators.errors import NotReadyError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

PATH = Path("/etc/pacslab/access.json")


class Scope(StrEnum):
    """The patients that an action reaches, from the widest to none."""

    ALL = "all"
    DEPARTMENT = "department"
    TREATMENT = "treatment"
    NONE = "none"


@dataclass(frozen=True)
class Policy:
    """Actions of each role, with the patients that they reach."""

    roles: Mapping[str, Mapping[str, Scope]]

    def scope(self, roles: Iterable[str], action: str) -> Scope | None:
        """The widest scope in which people of these roles may do something; None when they may not at all."""
        given = {self.roles[role][action] for role in roles if action in self.roles.get(role, {})}
        return next((scope for scope in Scope if scope in given), None)

    def actions(self, roles: Iterable[str]) -> dict[str, Scope]:
        """Everything that people of these roles may do."""
        named = list(roles)
        known = dict.fromkeys(action for role in named for action in self.roles.get(role, {}))
        return {action: scope for action in known if (scope := self.scope(named, action)) is not None}


def load(path: Path = PATH) -> Policy:
    """Read the policy.

    Raises:
        NotReadyError: the file is missing or is no policy; nobody may do anything then.
    """
    try:
        roles = json.loads(path.read_text("utf-8"))["roles"]
        return Policy({role: {action: Scope(scope) for action, scope in may.items()} for role, may in roles.items()})
    except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
        raise NotReadyError(f"{path} is no policy: {error}", remedy="Configure the host again.") from error

"""Reads ``policy.yml``: which role may do what, for which patients, and what nobody may hold together (AC-3, AC-5)."""

from __future__ import annotations

from enum import StrEnum
from functools import cache
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

POLICY = Path(__file__).with_name("policy.yml")

Word = Annotated[str, StringConstraints(pattern=r"^[a-z]([a-z-]{0,29}[a-z])?$")]
"""A role or an action."""


class Scope(StrEnum):
    """The patients that an action reaches, from the widest to none."""

    ALL = "all"
    DEPARTMENT = "department"
    TREATMENT = "treatment"
    NONE = "none"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Action(_Strict):
    """Something that a person does, and the program that decides whether the person may."""

    title: str = Field(min_length=1)
    at: Literal["ehr", "ris", "workstation", "viewer", "archive", "hosts", "directory", "audit"]
    transactions: str
    """IHE transactions or clauses that it is made of; empty where there is none."""


class Role(_Strict):
    """What people of a role may do."""

    title: str = Field(min_length=1)
    work_role: str = ""
    """The nearest work role of the NICE framework (SP 800-181); clinical roles have none."""
    may: dict[Word, Scope]


class Separation(_Strict):
    """Actions of which nobody may hold both (AC-5)."""

    actions: tuple[Word, Word]
    why: str = Field(min_length=1)


class Policy(_Strict):
    """Who may do what."""

    actions: dict[Word, Action]
    roles: dict[Word, Role]
    separate: tuple[Separation, ...]

    @model_validator(mode="after")
    def _actions_are_known(self) -> Self:
        named = [*(action for role in self.roles.values() for action in role.may)]
        named += [action for separation in self.separate for action in separation.actions]
        unknown = sorted(set(named) - set(self.actions))
        if unknown:
            raise ValueError(f"no such action: {', '.join(unknown)}")
        return self

    @model_validator(mode="after")
    def _no_role_breaks_a_separation(self) -> Self:
        for name in self.roles:
            for separation in self.broken([name]):
                raise ValueError(f"role {name} has {' and '.join(separation.actions)}: {separation.why}")
        return self

    def scope(self, roles: Iterable[str], action: str) -> Scope | None:
        """The widest scope in which people of these roles may do something; None when they may not at all."""
        held = [self.roles[role].may for role in roles if role in self.roles]
        given = {may[action] for may in held if action in may}
        return next((scope for scope in Scope if scope in given), None)

    def by_role(self) -> dict[str, dict[str, str]]:
        """What each role may do, and for which patients."""
        return {name: {action: scope.value for action, scope in role.may.items()} for name, role in self.roles.items()}

    def at_places(self) -> dict[str, list[str]]:
        """For each place that decides something, the roles of those who may do something there."""
        places = dict.fromkeys(action.at for action in self.actions.values())
        return {
            place: [name for name, role in self.roles.items() if any(self.actions[one].at == place for one in role.may)]
            for place in places
        }

    def broken(self, roles: Iterable[str]) -> Iterator[Separation]:
        """The separations that one person with all these roles would break."""
        held = {action for role in roles if role in self.roles for action in self.roles[role].may}
        yield from (separation for separation in self.separate if held.issuperset(separation.actions))

    def culprits(self, roles: Iterable[str], separation: Separation) -> tuple[str, str]:
        """Two of the roles that together break a separation."""
        first, second = separation.actions
        known = [role for role in roles if role in self.roles]
        return next(
            (one, other)
            for one, other in product(known, known)
            if first in self.roles[one].may and second in self.roles[other].may
        )


@cache
def load_policy() -> Policy:
    """The policy of the product.

    Raises:
        ValidationError: the file does not follow its model; the tests hold that it does.
    """
    return Policy.model_validate(yaml.safe_load(POLICY.read_text("utf-8")))

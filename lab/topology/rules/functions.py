"""Rules about what hosts are in the hospital's work."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.topology.problems import choose

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.topology.problems import Problem
    from lab.topology.role import Function
    from lab.topology.rules.draft import Draft


def functions_are_brought_by_a_role(draft: Draft) -> Iterator[Problem]:
    """A host states only functions that one of its roles is able to fulfil."""
    roles_of = _roles_of(draft)
    for name, host in draft.hosts.items():
        if not draft.roles_known(name):
            continue
        for position, function in enumerate(host.functions):
            where = ("hosts", name, "functions", position)
            roles = roles_of.get(function)
            if roles is None:
                yield draft.source.problem(
                    where,
                    f"Function {function} does not exist: no role brings it.",
                    choose(function, roles_of, "Known"),
                )
            elif not set(roles).intersection(host.roles):
                yield draft.source.problem(
                    where,
                    f"{name} cannot be {function}: it has no role {' or '.join(roles)}.",
                    f"Remove the function, or give {name} the role.",
                )


def a_function_is_stated_once(draft: Draft) -> Iterator[Problem]:
    """A host states a function once; a function that only one host of a site can have is stated by one host."""
    first: dict[str, str] = {}
    for name, host in draft.hosts.items():
        able: dict[str, Function] = {
            function: entry
            for role in host.roles
            if role in draft.catalog
            for function, entry in draft.catalog[role].functions.items()
        }
        for position, function in enumerate(host.functions):
            where = ("hosts", name, "functions", position)
            if function in host.functions[:position]:
                yield draft.source.problem(where, f"{name} has function {function} twice.", "Remove one of the two.")
            elif function in able and able[function].single and first.setdefault(function, name) != name:
                line = draft.source.line(("hosts", first[function], "functions"))
                yield draft.source.problem(
                    where,
                    f"{name} is a second {function}; {first[function]} is one already (line {line}).",
                    "Keep the function at one of the two: a site has one such host.",
                )


def _roles_of(draft: Draft) -> dict[str, list[str]]:
    """The roles that bring each function."""
    found: dict[str, list[str]] = {}
    for role, meta in draft.catalog.items():
        for function in meta.functions:
            found.setdefault(function, []).append(role)
    return found

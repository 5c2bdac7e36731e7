"""Rules about profiles, the role lists that hosts share, and about the order in which roles stand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.topology.problems import choose
from lab.topology.profiles import INCLUDE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.topology.problems import Problem
    from lab.topology.rules.draft import Draft


def profiles_exist(draft: Draft) -> Iterator[Problem]:
    """A host's profile, and one that a profile takes in, is written under ``profiles``."""
    for name, host in draft.hosts.items():
        if host.profile is not None and host.profile not in draft.profile_names:
            yield draft.source.problem(
                ("hosts", name, "profile"),
                f"{name} has profile {host.profile}, which does not exist.",
                _choose_profile(draft, host.profile),
            )
    for profile, entries in draft.profiles.lists.items():
        for position, entry in enumerate(entries):
            taken = entry.removeprefix(INCLUDE)
            if entry.startswith(INCLUDE) and taken not in draft.profile_names:
                yield draft.source.problem(
                    ("profiles", profile, position),
                    f"Profile {profile} takes in profile {taken}, which does not exist.",
                    _choose_profile(draft, taken),
                )


def profiles_do_not_take_in_themselves(draft: Draft) -> Iterator[Problem]:
    """A profile's roles would have no end if it took in itself."""
    reported: set[frozenset[str]] = set()
    for profile in draft.profiles.lists:
        circle = draft.profiles.circle(profile)
        if len(circle) > 1 and frozenset(circle) not in reported:
            reported.add(frozenset(circle))
            entry = f"{INCLUDE}{circle[1]}"
            yield draft.source.problem(
                ("profiles", profile, list(draft.profiles.lists[profile]).index(entry)),
                f"Profile {profile} takes in itself: {' -> '.join(circle)}.",
                "Remove one of these, and write the roles that are meant.",
            )


def hosts_have_roles(draft: Draft) -> Iterator[Problem]:
    """A host without roles would be nothing; a foreign device may call others, or nobody, and offer nothing."""
    for name, host in draft.hosts.items():
        if host.profile is None and not host.roles and not host.foreign:
            yield draft.source.problem(
                ("hosts", name),
                f"{name} has no role.",
                f"Write a profile ({', '.join(sorted(draft.profile_names)) or 'none is there yet'}), roles, or both.",
            )


def roles_exist(draft: Draft) -> Iterator[Problem]:
    """A role is a folder of `roles/` with a `meta/pacslab.yml`; a host has it once, by its profile or by itself."""
    unknown: dict[str, list[str]] = {}
    for name in draft.hosts:
        places = draft.placed(name)
        for assigned in places:
            first = next(two for two in places if two.role == assigned.role)
            if first is not assigned:
                yield draft.source.problem(
                    assigned.place,
                    f"{_owner(assigned.place)} has role {assigned.role} twice; the first is on line "
                    f"{draft.source.line(first.place)}.",
                    "Remove one of the two.",
                )
            elif assigned.role not in draft.role_names:
                unknown.setdefault(assigned.role, []).append(name)
    for role, names in unknown.items():
        place = next(placed.place for placed in draft.placed(names[0]) if placed.role == role)
        others = [name for name in names if _owner(place) != name]
        also = f" (so have {', '.join(others)})" if others else ""
        yield draft.source.problem(
            place,
            f"{_owner(place)} has role {role}, which does not exist{also}.",
            choose(role, draft.role_names, "Roles, each a folder of roles/ with meta/pacslab.yml"),
        )


def roles_stand_in_order(draft: Draft) -> Iterator[Problem]:
    """A role stands behind those that it is configured after (`after` in its `meta/pacslab.yml`)."""
    for name in draft.hosts:
        places = draft.placed(name)
        for position, place in enumerate(places):
            if place.role not in draft.catalog:
                continue
            later = {two.role: two for two in places[position + 1 :]}
            for role in draft.catalog[place.role].after:
                if role in later:
                    line = draft.source.line(later[role].place)
                    yield draft.source.problem(
                        place.place,
                        f"{_owner(place.place)} has role {place.role} before {role} (line {line}), which it builds on.",
                        f"Write {role} first: images are prefixes of the role list.",
                    )


def _choose_profile(draft: Draft, wrong: str) -> str:
    if wrong in draft.role_names:
        return f"{wrong} is a role: write it under roles, or into a profile's list."
    return choose(wrong, draft.profile_names, "Profiles")


def _owner(place: tuple[str | int, ...]) -> str:
    """Whose list a place is in, as a sentence begins."""
    return f"Profile {place[1]}" if place[0] == "profiles" else str(place[1])

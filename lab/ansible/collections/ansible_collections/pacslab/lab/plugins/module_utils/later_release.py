"""What apt would change to bring packages of a later Debian release, and whether that may be done."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

PROTECTED = re.compile(
    r"libc6|libc-bin|systemd.*|libsystemd.*|libssl3.*|openssl|dpkg|apt|libapt.*|perl.*|python3.*|libpq5"
)
"""Packages that everything else on a host stands on: they stay those of the installed release."""
_INSTALL = re.compile(
    r"^Inst (?P<name>\S+) (?:\[\S+\] )?\((?P<version>\S+) (?P<release>.*) \[(?P<architecture>\w+)\]\)"
)
_REMOVE = re.compile(r"^Remv (?P<name>\S+)", re.MULTILINE)


@dataclass(frozen=True)
class Change:
    """A package that would be installed or upgraded, with its architecture as its file has it."""

    name: str
    version: str
    architecture: str
    release: str


@dataclass(frozen=True)
class Locked:
    """A version that was looked at, and the SHA-256 of its file."""

    version: str
    sha256: str


@dataclass(frozen=True)
class Judged:
    """What is against the change, what differs from what is locked, and which files have to match a hash."""

    against: list[str] = field(default_factory=list)
    unlocked: list[Change] = field(default_factory=list)
    locked: dict[Change, str] = field(default_factory=dict)


def changes(simulated: str) -> list[Change]:
    """Read what ``apt-get --simulate install`` prints."""
    found = (match.groupdict() for match in map(_INSTALL.match, simulated.splitlines()) if match)
    return [Change(**parts) for parts in found]


def removals(simulated: str) -> list[str]:
    """Packages that would go."""
    return _REMOVE.findall(simulated)


def judge(
    wanted: Sequence[Change],
    locked: Mapping[str, Locked],
    hashes: Callable[[Change], str],
    *,
    least: Mapping[str, str],
    older: Callable[[str, str], bool],
    expired: str,
) -> Judged:
    """Judge the packages that would come from the later release.

    Args:
        wanted: the changes from there.
        locked: versions and hashes that were looked at, by package.
        hashes: the SHA-256 that the release's index states for a change.
        least: the lowest version that is good enough, by package.
        older: whether a version is lower than another, as dpkg compares them.
        expired: when the release's index ceased to be valid, or nothing while it is. An index past that could be an old
            one, replayed: then only what is locked may be taken from it.
    """
    judged = Judged()
    for change in wanted:
        lock = locked.get(change.name)
        exact = lock is not None and lock.version == change.version
        if PROTECTED.fullmatch(change.name):
            judged.against.append(f"it would bring {change.name} {change.version}, on which the whole host stands")
        elif exact and lock is not None and hashes(change) != lock.sha256:
            judged.against.append(
                f"{change.name} {change.version} has another SHA-256 than the file that was looked at"
            )
        elif exact and lock is not None:
            judged.locked[change] = lock.sha256
        elif expired:
            judged.against.append(
                f"{change.name} {change.version} is not locked, and the index with it is past its validity ({expired})"
            )
        else:
            judged.unlocked.append(change)
        if change.name in least and older(change.version, least[change.name]):
            judged.against.append(f"{change.name} {change.version} is older than {least[change.name]}")
    return judged


def summary(changed: Iterable[Change]) -> str:
    """Packages with their versions, for people."""
    return ", ".join(f"{change.name} {change.version}" for change in changed)

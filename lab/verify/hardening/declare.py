"""What stands beside a hardening check: its promise, where it applies, and the sabotage that it must catch.

    @promise(
        "hardening.accounts.root-alone",
        "No account but root has user id 0.",
        remedy="Remove the account, or give it an id of its own.",
        sabotage=Sabotage("useradd --non-unique --uid 0 toor", "userdel --force toor", also=("hardening.accounts.*",)),
    )
    def test_root_alone_has_user_id_0(host: Host, expect: Expect) -> None:
        expect.equal(["root"], [name for name, account in accounts(host).items() if account.uid == 0])

A check is parametrised by hosts and by what ``each`` finds on them in the description; it names no host.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from lab.results.model import ID, Promise

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from lab.topology.model import Host
    from lab.topology.site import Site

AREA = "hardening"
ATTRIBUTE = "hardening_check"
F = TypeVar("F", bound="Callable[..., Any]")


@dataclass(frozen=True)
class Target:
    """What one judgement is about: a host of a site, and a subject on it.

    Attributes:
        site: The description: what is promised.
        host: The host's name.
        subject: What it is about there, in words: a path, a port, a service; empty for the whole host.
        value: What ``each`` found, for the check to use.
        lists: Lists of what the host may have beyond those of its roles: ``machine`` where it is no container.
    """

    site: Site
    host: str
    subject: str = ""
    value: Any = None
    lists: tuple[str, ...] = ()

    @property
    def entry(self) -> Host:
        """The host's entry in the description."""
        return self.site.hosts[self.host]

    @property
    def roles(self) -> list[str]:
        """The host's roles."""
        return list(self.entry.roles)


@dataclass(frozen=True)
class Sabotage:
    """What a check must catch: a change that is made on a clone of a lab, and undone.

    ``apply`` and ``undo`` are shell scripts, run as root on the target's host, or functions that write one for it.

    Attributes:
        apply: Makes the change. It ends with 0.
        undo: Takes it back, also when ``apply`` came half way.
        also: Patterns of the ids that may fail with it on this host: the same change seen from elsewhere.
        on: Which targets it fits; None for the first there is.
        unpacked: A tar archive that the engine unpacks on the host before ``apply``: what nobody on a host may make.
        started: Whether the container that is made with other settings is started too.
        settings: What the container is made with instead (``HostConfig`` of the engine), for checks of that.
    """

    apply: str | Callable[[Target], str]
    undo: str | Callable[[Target], str]
    also: Sequence[str] = ()
    on: Callable[[Target], bool] | None = None
    unpacked: bytes | None = None
    settings: Mapping[str, Any] | None = None
    started: bool = False

    def apply_on(self, target: Target) -> str:
        """The script that makes the change."""
        return self.apply if isinstance(self.apply, str) else self.apply(target)

    def undo_on(self, target: Target) -> str:
        """The script that takes it back."""
        return self.undo if isinstance(self.undo, str) else self.undo(target)


@dataclass(frozen=True)
class Declared:
    """A check's declaration.

    Attributes:
        promise: Its id and text.
        remedy: What to do when it is not kept.
        where: Whether it applies to a host.
        each: What it is about on a host, as (words, value); None for the host as a whole.
        reads: Commands that are read ahead, with those of the host's other checks, in one round trip.
        sabotage: What it must catch.
    """

    promise: Promise
    remedy: str
    where: Callable[[Target], bool]
    each: Callable[[Target], Iterable[tuple[str, Any]]] | None
    reads: tuple[str | Callable[[Target], str], ...]
    sabotage: Sabotage | None

    def reads_on(self, target: Target) -> list[str]:
        """The commands to read ahead for a target."""
        return [read if isinstance(read, str) else read(target) for read in self.reads]

    def targets(self, site: Site, hosts: Iterable[str], lists: tuple[str, ...] = ()) -> list[Target]:
        """Everything that it judges on these hosts."""
        found: list[Target] = []
        for host in hosts:
            whole = Target(site, host, lists=lists)
            if not self.where(whole):
                continue
            if self.each is None:
                found.append(whole)
            else:
                found += [Target(site, host, subject, value, lists) for subject, value in self.each(whole)]
        return found


def everywhere(target: Target) -> bool:
    """Every host."""
    del target
    return True


def has_role(*roles: str) -> Callable[[Target], bool]:
    """Hosts with one of these roles."""
    return lambda target: any(role in target.entry.roles for role in roles)


def in_zone(*zones: str) -> Callable[[Target], bool]:
    """Hosts of these zones."""
    return lambda target: target.entry.zone in zones


def promise(
    id: str,  # noqa: A002 # what it is called everywhere
    text: str,
    *,
    remedy: str,
    where: Callable[[Target], bool] = everywhere,
    each: Callable[[Target], Iterable[tuple[str, Any]]] | None = None,
    reads: Sequence[str | Callable[[Target], str]] = (),
    sabotage: Sabotage | None = None,
) -> Callable[[F], F]:
    """Declare what a test function promises.

    Raises:
        ValueError: the id is not ``hardening.<noun>.<promise>``.
    """
    if not ID.match(id) or id.partition(".")[0] != AREA or id.count(".") != 2:  # noqa: PLR2004 # area, noun, promise
        raise ValueError(f"{id!r} is no id of a hardening check: write hardening.<noun>.<promise>")
    declared = Declared(Promise(id, text), remedy, where, each, tuple(reads), sabotage)

    def mark(function: F) -> F:
        setattr(function, ATTRIBUTE, declared)
        return function

    return mark


def declared_of(function: Any) -> Declared | None:
    """What a function promises, or None when it promises nothing."""
    found = getattr(function, ATTRIBUTE, None)
    return found if isinstance(found, Declared) else None

"""A running hospital: its hosts by what they are for, commands on them, and what was read there."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

from lab.errors import UsageError
from lab.hospital.answers import read
from lab.hospital.brought import brought
from lab.hospital.collected import Collected
from lab.hospital.errors import CommandFailedError
from lab.hospital.trail import Trail

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lab.engine.lab import Completed, Lab
    from lab.topology.model import Host
    from lab.topology.site import Site

T = TypeVar("T")


@dataclass(frozen=True)
class Actor:
    """Who takes part in the hospital's work: a host with a function and, where that matters, of a kind of modality.

    >>> str(Actor("acquisition", "CT"))
    'acquisition (CT)'
    """

    function: str
    modality: str | None = None

    def __str__(self) -> str:
        """The function, and the modality where one is asked for."""
        return f"{self.function} ({self.modality})" if self.modality else self.function

    def hosts(self, site: Site) -> list[str]:
        """The hosts of a site that can take this part, by name: none that is a device, on which nothing can be run."""
        return [
            name
            for name in site.with_function(self.function)
            if name in site.managed and self.modality in {None, site.hosts[name].modality}
        ]


class Hospital:
    """The hosts of a lab, asked for by function; whatever is read on them is kept in the trail.

    Example:
        >>> hospital = Hospital(lab)
        >>> hospital.host(Actor("primary-archive"))
        'pacs-rad'
    """

    def __init__(self, lab: Lab, trail: Trail | None = None) -> None:
        """Look at a lab; without a trail what is read is kept nowhere."""
        self.lab = lab
        self.trail = trail or Trail()

    @property
    def site(self) -> Site:
        """The lab's site."""
        return self.lab.site

    @cached_property
    def collected(self) -> Collected:
        """The hosts' logs as the log collector has them."""
        return Collected(self.lab)

    def host(self, actor: Actor | str) -> str:
        """The host that takes a part; where several can, the first by name, which says nothing about them.

        Raises:
            UsageError: the site has none.
        """
        wanted = Actor(actor) if isinstance(actor, str) else actor
        found = wanted.hosts(self.site)
        if not found:
            raise UsageError(
                f"Site {self.site.name} has no host with function {wanted}.",
                remedy="State the function at a host of its topology.yml, or take a site that has one.",
            )
        return found[0]

    def described(self, host: str) -> Host:
        """What the site's description says of a host."""
        return self.site.hosts[host]

    def named(self, title: str) -> str | None:
        """The host of an AE title, or None."""
        return next((name for name, host in self.site.hosts.items() if host.ae_title == title), None)

    def archive_of(self, station: str) -> str:
        """The archive that answers for a station's images: the one that it may ask for storage commitment.

        Raises:
            UsageError: no flow lets it ask anybody.
        """
        asked = sorted(flow.target for flow in self.site.flows_out(station) if "N-ACTION" in flow.permits)
        if not asked:
            raise UsageError(
                f"{station} has no archive that answers for its images.",
                remedy="Add a flow of dicom-tls to its archive that permits N-ACTION.",
            )
        return asked[0]

    def sends_on_to(self, archive: str) -> list[str]:
        """The archives that an archive sends what it holds on to, by name."""
        return sorted(flow.target for flow in self.site.flows_out(archive) if "C-STORE" in flow.permits)

    def run(
        self,
        host: str,
        argv: Sequence[str],
        *,
        timeout: float = 60,
        input: bytes | None = None,  # noqa: A002 # the name that Lab.run gives it
        user: str = "root",
    ) -> Completed:
        """Run a command on a host, or one that is brought along; what its exit code means is the caller's to say."""
        words, program = brought(argv)
        done = self.lab.run(host, words, timeout=timeout, input=program or input, user=user)
        self.trail.note(done.stdout or done.stderr, f"{' '.join(argv)} on {host}", time.time())
        return done

    def ask(self, host: str, argv: Sequence[str], kind: type[T], *, timeout: float = 60) -> T:
        """Run a command that answers in JSON, and read the answer.

        Raises:
            CommandFailedError: it ended with another code than 0.
            UnexpectedAnswerError: its answer is not of the form ``kind``.
        """
        return self.answer(self.run(host, argv, timeout=timeout), kind, f"{' '.join(argv)} on {host}", host)

    def answer(self, done: Completed, kind: type[T], source: str, host: str) -> T:
        """Read what a command on a host answered in JSON.

        Raises:
            CommandFailedError: it ended with another code than 0.
            UnexpectedAnswerError: its answer is not of the form ``kind``.
        """
        if done.code != 0:
            raise CommandFailedError(
                f"{source} ended with {done.code}: {why(done)}", remedy=f"See `pacslab logs {host}`."
            )
        return read(kind, done.stdout, source)


def why(done: Completed) -> str:
    """What a command that failed said, on one line: its error in JSON, or the end of its output."""
    try:
        said = json.loads(done.stdout)
        return str(said["message"])
    except (ValueError, KeyError, TypeError):
        lines = (done.stderr or done.stdout).strip().splitlines()
        return " / ".join(line.strip() for line in lines[-3:]) or "no output"

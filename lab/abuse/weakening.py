"""How a control is switched off for a trial, and on again: on a clone only, and never by what ships."""

from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Protocol

from lab.abuse.failure import RestoreError, WeakeningError
from lab.deadline import wait_until
from lab.errors import PacslabError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager

    from lab.abuse.attempt import Parties
    from lab.engine.lab import Lab
    from lab.topology.site import Site

ASIDE = "/run/pacslab-trial"
"""Where a host keeps, for the trial, what was there before."""
TAKEN_WITHIN = 60.0
"""Seconds in which a service has to work again after its configuration has changed."""
GONE = "Remove the lab if it is still there: it is no longer as it ships."
PROGRAMS = Path(__file__).with_name("programs")


def on_target(_: Site, parties: Parties) -> str:
    """The host whose service is tried."""
    return parties.target


def on_gateway(site: Site, _: Parties) -> str:
    """The firewall between the zones."""
    return site.gateway


class Weakening(Protocol):
    """A way to switch a control off.

    Attributes:
        text: How, in one line for the table of cases.
    """

    @property
    def text(self) -> str:
        """How, in one line for the table of cases."""

    def host(self, site: Site, parties: Parties) -> str:
        """Where it is switched off."""

    def applied(self, lab: Lab, parties: Parties) -> AbstractContextManager[None]:
        """Switch it off for a while.

        Raises:
            WeakeningError: it could not be switched off, or not on again.
        """


@dataclass(frozen=True)
class Edit:
    """A substitution in a file that has to match exactly, so that a file that has changed is noticed.

    Attributes:
        path: The file.
        pattern: What is replaced: a regular expression over the whole text, with ``^`` and ``$`` at each line.
        replacement: What stands there then, as :func:`re.sub` reads it.
        times: How often the pattern has to match.
    """

    path: str
    pattern: str
    replacement: str
    times: int = 1

    def applied_to(self, text: str) -> str:
        """The text with the substitution made.

        Raises:
            WeakeningError: the pattern matches another number of times.
        """
        changed, count = re.subn(self.pattern, self.replacement, text, flags=re.MULTILINE)
        if count != self.times:
            raise WeakeningError(
                f"{self.path} has {self.pattern!r} {count} times, not {self.times}.",
                remedy="What the host is configured from has changed: fit the case's weakening to it.",
            )
        return changed


def literal(path: str, old: str, new: str, times: int = 1) -> Edit:
    """A substitution of a text as it stands."""
    return Edit(path, re.escape(old), new.replace("\\", "\\\\"), times)


@dataclass(frozen=True)
class EditedFiles:
    """Files of a host are changed, and its service reads them again.

    Attributes:
        text: What that switches off.
        edits: The substitutions.
        effect: The command that makes the service read them.
        program: The file of ``lab/abuse/programs/`` that the command reads from its standard input, if any.
        check: A command that has to find the changed files good, before the service reads them.
        ready: Asked until it is true, where ``effect`` ends before the service is back.
        where: On which host.
    """

    text: str
    edits: tuple[Edit, ...]
    effect: tuple[str, ...]
    program: str = ""
    check: tuple[str, ...] = ()
    ready: Callable[[Lab, str], bool] | None = field(default=None, repr=False)
    where: Callable[[Site, Parties], str] = field(default=on_target, repr=False)

    def host(self, site: Site, parties: Parties) -> str:
        """Where it is switched off."""
        return self.where(site, parties)

    @contextmanager
    def applied(self, lab: Lab, parties: Parties) -> Iterator[None]:
        """Change the files, and put the shipped ones back at the end.

        Raises:
            WeakeningError: a substitution does not match, or the service does not come back.
        """
        host = self.host(lab.site, parties)
        paths = list(dict.fromkeys(edit.path for edit in self.edits))
        shipped = {path: must(lab, host, ["cat", path]) for path in paths}
        weakened = dict(shipped)
        for edit in self.edits:
            weakened[edit.path] = edit.applied_to(weakened[edit.path])

        def put_back() -> None:
            for path in paths:
                must(lab, host, ["sh", "-c", _PUT_BACK, "sh", path, _aside(path)])
                if must(lab, host, ["cat", path]) != shipped[path]:
                    raise WeakeningError(f"{host}: {path} is not what it was.", remedy=GONE)
            self._take_effect(lab, host)

        with undoing(put_back):
            for path in paths:
                must(lab, host, ["sh", "-c", _REPLACE, "sh", path, _aside(path)], data=weakened[path].encode())
            if self.check:
                must(lab, host, self.check)
            self._take_effect(lab, host)
            yield

    def _take_effect(self, lab: Lab, host: str) -> None:
        must(lab, host, self.effect, data=(PROGRAMS / self.program).read_bytes() if self.program else None)
        ready = self.ready
        if ready is not None:
            wait(lambda: ready(lab, host), f"{host} does not serve after {' '.join(self.effect)}")


_REPLACE = 'mkdir -p "$(dirname "$2")" && { [ -e "$2" ] || cp -a "$1" "$2"; } && cat >"$1"'
"""Keeps the file aside, and writes standard input into it: owner and mode stay."""
_PUT_BACK = '[ ! -e "$2" ] || { cp -a "$2" "$1" && rm "$2"; }'


def _aside(path: str) -> str:
    return str(PurePosixPath(ASIDE) / path.lstrip("/"))


@dataclass(frozen=True)
class FilterRule:
    """A rule is put in front of a packet filter's chain, and taken out by its handle.

    Attributes:
        text: What that lets through.
        chain: The chain of table ``inet filter``.
        rule: Makes the rule for those who take part.
        where: On which host.
    """

    text: str
    chain: str
    rule: Callable[[Site, Parties], str] = field(repr=False)
    where: Callable[[Site, Parties], str] = field(default=on_target, repr=False)

    def host(self, site: Site, parties: Parties) -> str:
        """Where it is switched off."""
        return self.where(site, parties)

    @contextmanager
    def applied(self, lab: Lab, parties: Parties) -> Iterator[None]:
        """Insert the rule, and delete it at the end.

        Raises:
            WeakeningError: the filter did not take it, or has it still.
        """
        host = self.host(lab.site, parties)
        rule = self.rule(lab.site, parties)
        said = must(lab, host, ["nft", "--echo", "--handle", f"insert rule inet filter {self.chain} {rule}"])
        handle = re.search(r"# handle (\d+)", said)
        if handle is None:
            raise RestoreError(f"{host}: nft tells no handle: {said!r}", remedy=GONE)
        with undoing(lambda: must(lab, host, ["nft", f"delete rule inet filter {self.chain} handle {handle[1]}"])):
            yield


@dataclass(frozen=True)
class ReplacedService:
    """A program of ours takes a service's place that lacks the control because it lacks nearly everything.

    For a control that belongs to a product and has no switch.

    Attributes:
        text: What that switches off.
        unit: The service that makes way.
        program: The file of ``lab/abuse/programs/`` that runs instead, with the simulators' interpreter.
        arguments: Makes its arguments.
        port: Tells the loopback port that it has to open.
        where: On which host.
    """

    text: str
    unit: str
    program: str
    arguments: Callable[[Site, str], Sequence[str]] = field(repr=False)
    port: Callable[[Site, str], int] = field(repr=False)
    where: Callable[[Site, Parties], str] = field(default=on_target, repr=False)

    def host(self, site: Site, parties: Parties) -> str:
        """Where it is switched off."""
        return self.where(site, parties)

    @contextmanager
    def applied(self, lab: Lab, parties: Parties) -> Iterator[None]:
        """Stop the service, run the program, and undo both at the end.

        Raises:
            WeakeningError: one of them does not start.
        """
        host = self.host(lab.site, parties)
        port, stand_in = self.port(lab.site, host), f"pacslab-trial-{Path(self.program).stem.replace('_', '-')}"
        path = f"{ASIDE}/{self.program}"
        lab.write(host, path, (PROGRAMS / self.program).read_bytes())
        start = ["systemd-run", f"--unit={stand_in}", "--collect", "--quiet"]
        start += ["/opt/pacslab/venv/bin/python3", path, *self.arguments(lab.site, host)]

        def put_back() -> None:
            lab.run(host, ["systemctl", "stop", stand_in])
            must(lab, host, ["systemctl", "start", self.unit])
            wait(lambda: listens(lab, host, port), f"{host}: {self.unit} does not come back")

        with undoing(put_back):
            must(lab, host, ["systemctl", "stop", self.unit])
            must(lab, host, start)
            wait(lambda: listens(lab, host, port), f"{host}: {self.program} does not serve")
            yield


@contextmanager
def undoing(undo: Callable[[], object]) -> Iterator[None]:
    """Undo at the end, whatever happens inside.

    Raises:
        RestoreError: it could not be undone.
    """
    try:
        yield
    finally:
        try:
            undo()
        except PacslabError as error:
            raise RestoreError(f"Not switched on again: {error.message}", remedy=GONE) from error


def must(lab: Lab, host: str, argv: Sequence[str], *, data: bytes | None = None) -> str:
    """Run a command that has to succeed, and return what it printed.

    Raises:
        WeakeningError: it failed.
    """
    done = lab.run(host, list(argv), input=data, timeout=TAKEN_WITHIN)
    if done.code != 0:
        raise WeakeningError(
            f"{host}: {' '.join(argv)[:300]} ended with {done.code}: {(done.stderr or done.stdout).strip()[-400:]}",
            remedy="Fit the case's weakening to what the host has.",
        )
    return done.stdout


def wait(ready: Callable[[], bool], otherwise: str) -> None:
    """Wait for a service.

    Raises:
        WeakeningError: it is not ready in time.
    """
    if not wait_until(ready, seconds=TAKEN_WITHIN, pause=0.25):
        raise WeakeningError(f"{otherwise} (waited {TAKEN_WITHIN:g} s).", remedy="See the host's log.")


def listens(lab: Lab, host: str, port: int) -> bool:
    """Whether a TCP port of a host is open, on whichever address."""
    return bool(lab.run(host, ["ss", "-Hltn", f"sport = :{port}"]).stdout.strip())

"""The repository of audit messages: what it has stored, and whether that is what it had stored."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from lab.atomic_write import atomic_write
from lab.errors import UsageError
from lab.hospital.answers import Answer, read
from lab.hospital.errors import CommandFailedError

if TYPE_CHECKING:
    from pathlib import Path

    from lab.engine.lab import Lab
    from lab.topology.site import Site

COMMAND = "pacslab-siem"
FAULT = 1
"""How the command ends when a record is not as it was."""
KEPT = "audit-checkpoints.json"
"""File of a lab with the repository's key and its checkpoints, as this machine has kept them."""
HEADS = ("/var/spool/pacslab-audit/spool/head", "/var/spool/pacslab-audit/spool/heads")
"""Where a sender keeps what the repository has said of its chain: the newest, and of those before one now and then."""
MOST = 200
"""Checkpoints that this machine keeps, the newest."""
PROVING_SECONDS = 3600.0


class Found(Answer):
    """An event that the repository has."""

    position: int
    received: str
    fields: dict[str, Any]


class Fault(Answer):
    """The first record that is not as it was."""

    kind: str
    position: int
    batch: int
    says: str


class Checkpoint(Answer):
    """A batch's number and head, and who has kept it."""

    number: int
    head: str
    holder: str = ""


class Proof(Answer):
    """What came of a proof."""

    records: int
    batches: int
    dropped: int
    position: int
    checkpoints: int
    last: Checkpoint | None
    fault: Fault | None
    key: str


class _Kept(Answer):
    key: str = ""
    checkpoints: tuple[Checkpoint, ...] = ()


def repository_of(site: Site) -> str | None:
    """The host that keeps audit messages."""
    for name in site.managed:
        if any(service.provides == "audit-repository" for service in site.services(name).values()):
            return name
    return None


class Repository:
    """The repository of a lab, asked on its host.

    Example:
        >>> Repository(lab).show(accession="A0000001")[0].fields["user.name"]
        'a.rivera'
    """

    def __init__(self, lab: Lab) -> None:
        """Take the repository from the lab's site.

        Raises:
            UsageError: the site has none.
        """
        host = repository_of(lab.site)
        if host is None:
            raise UsageError("The site has no repository of audit messages.", remedy="Give a host role siem.")
        self.lab, self.host = lab, host

    def show(self, since: str | None = None, limit: int | None = None, **wanted: str) -> list[Found]:
        """Return the events with all of these: ``accession``, ``patient``, ``person``, ``study``, ``host``."""
        words = [word for name, value in wanted.items() for word in (f"--{name}", value)]
        words += ["--since", since] if since else []
        words += ["--limit", str(limit)] if limit is not None else []
        return [read(Found, line, self._source) for line in self._run("show", *words).splitlines()]

    def lines(self, verb: str, *words: str) -> list[dict[str, Any]]:
        """Return what a verb of the repository's own command says, a dictionary a line."""
        return [read(dict[str, Any], line, self._source) for line in self._run(verb, *words).splitlines()]

    def verify(self) -> Proof:
        """Prove what is stored, by what other hosts and this machine have kept; and keep its newest head here.

        The key counts that this machine has seen first.
        """
        path = self.lab.folder / KEPT
        kept = _read_kept(path)
        given = {
            "key": kept.key,
            "checkpoints": [entry.model_dump() for entry in (*kept.checkpoints, *self._of_senders())],
        }
        done = self.lab.run(
            self.host, [COMMAND, "verify", "--kept"], input=json.dumps(given).encode(), timeout=PROVING_SECONDS
        )
        if done.code not in {0, FAULT} or not done.stdout.strip():
            raise self._failed("verify", done.stderr)
        proof = read(Proof, done.stdout, self._source)
        if proof.fault is None and proof.last is not None:
            newest = Checkpoint(number=proof.last.number, head=proof.last.head, holder="this machine")
            checkpoints = [*(entry for entry in kept.checkpoints if entry.number != newest.number), newest][-MOST:]
            keeping = {"key": proof.key, "checkpoints": [entry.model_dump() for entry in checkpoints]}
            atomic_write(path, json.dumps(keeping, indent=1), mode=0o600)
        return proof

    def _of_senders(self) -> list[Checkpoint]:
        """What other hosts have kept; a host that does not answer keeps it for the next time."""
        found = []
        for host in self.lab.site.managed:
            if host == self.host:
                continue
            done = self.lab.run(host, ["cat", *HEADS], timeout=10)  # one may not be there yet
            for line in dict.fromkeys(done.stdout.splitlines()):
                number, head, *_ = [*line.split(), "", ""]
                if number.isdigit() and head:
                    found.append(Checkpoint(number=int(number), head=head, holder=host))
        return found

    def _run(self, verb: str, *words: str) -> str:
        done = self.lab.run(self.host, [COMMAND, verb, *words], timeout=120)
        if done.code != 0:
            raise self._failed(verb, done.stderr)
        return done.stdout

    def _failed(self, verb: str, said: str) -> CommandFailedError:
        return CommandFailedError(
            f"{COMMAND} {verb} on {self.host} failed: {said.strip()[:300]}",
            remedy=f"See `pacslab status`, and `pacslab logs {self.host}`.",
        )

    @property
    def _source(self) -> str:
        return f"{COMMAND} on {self.host}"


def _read_kept(path: Path) -> _Kept:
    if not path.exists():
        return _Kept()
    return read(_Kept, path.read_text("utf-8"), str(path))

"""How many audit messages a second the repository stores for a minute, against rsyslog writing the same to a file."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from lab.deadline import wait_until
from lab.errors import EngineError
from lab.hospital.audit_stream import new_run, sender, stream
from lab.hospital.collected import FOLDER
from lab.hospital.repository import Repository

if TYPE_CHECKING:
    from collections.abc import Callable

    from lab.engine.lab import Lab

SECONDS = 60.0
"""For which as many are sent as are taken."""
CALM_RATE, CALM = 10.0, 100
"""Messages a second, and how many, at rest."""
PLAIN = 100_000
"""Messages that rsyslog is given."""
MOST = 10_000_000
WRITTEN_WITHIN = 300.0
POLL = 0.2
AIM = 15_000.0
"""Messages a second that the repository is meant to store, with all rules, in a lab as shipped on two cores."""


@dataclass(frozen=True)
class Measured:
    """What was measured.

    Attributes:
        accepted: messages that were acknowledged.
        stored: of them in the database afterwards.
        a_second: how many a second.
        peer_a_second: how many rsyslog wrote.
        ratio: of both.
        median, slowest: seconds from sending to acknowledging under that load; slowest of 99 %.
        calm_median, calm_slowest: the same at rest.
        memory: megabytes of core and intake before and after.
        disk: megabytes that the database takes for a million messages.
    """

    accepted: int
    stored: int
    a_second: float
    peer_a_second: float
    ratio: float
    median: float
    slowest: float
    calm_median: float
    calm_slowest: float
    memory: tuple[int, int]
    disk: int
    aim: float = AIM

    @property
    def passed(self) -> bool:
        """Whether nothing that was accepted is missing; the speed is told, and differs between machines."""
        return self.stored == self.accepted

    def as_dict(self) -> dict[str, object]:
        """Return it as ``--json`` prints it."""
        return {**asdict(self), "passed": self.passed}


def bench_siem(lab: Lab, say: Callable[[str], None], seconds: float = SECONDS) -> Measured:
    """Send from one host over TLS, as its daemon does, and look at what is stored.

    Raises:
        EngineError: what was sent cannot be counted.
    """
    repository = Repository(lab)
    calm = stream(lab, new_run(), CALM, rate=CALM_RATE)
    say(f"at rest: stored after {calm.median * 1000:.0f} ms")
    memory, disk = _memory(repository), _disk(repository)
    run = new_run()
    load = stream(lab, run, MOST, seconds=seconds)
    accepted = load.acknowledged
    say(f"{accepted} messages in {load.seconds:.1f} s: {accepted / load.seconds:.0f} a second")
    stored = _count(repository, run)
    memory_after, grown = _memory(repository), _disk(repository) - disk
    peer = PLAIN / _plain(lab, repository.host)
    say(f"rsyslog: {peer:.0f} a second")
    return Measured(
        accepted=accepted,
        stored=stored,
        a_second=round(accepted / load.seconds, 1),
        peer_a_second=round(peer, 1),
        ratio=round(accepted / load.seconds / peer, 3),
        median=round(load.median, 3),
        slowest=round(load.slowest, 3),
        calm_median=round(calm.median, 3),
        calm_slowest=round(calm.slowest, 3),
        memory=(memory >> 20, memory_after >> 20),
        disk=round(grown / max(accepted, 1) * 1_000_000) >> 20,
    )


def _plain(lab: Lab, centre: str) -> float:
    """Seconds in which rsyslog takes the stream and writes it."""
    run, begun = new_run(), time.monotonic()
    stream(lab, run, PLAIN, plain=True)
    log = f"{FOLDER}/{sender(lab.site).flow.source}.jsonl"
    if not wait_until(lambda: lab.run(centre, ["grep", "-q", run, log]).code == 0, WRITTEN_WITHIN, POLL):
        raise EngineError("The collector has not written what it was sent.", remedy=f"See `pacslab logs {centre}`.")
    return time.monotonic() - begun


def _count(repository: Repository, run: str) -> int:
    """How many messages of a run are stored."""
    return int(_sql(repository, f"SELECT count(*) FROM siem.events WHERE run = '{run}'"))  # noqa: S608 - a UUID of ours


def _disk(repository: Repository) -> int:
    """Octets of the database."""
    return int(_sql(repository, "SELECT pg_database_size('siem')"))


def _memory(repository: Repository) -> int:
    """Octets of the repository's services."""
    units = ["pacslab-siem.service", "pacslab-siem-intake.service"]
    said = repository.lab.run(repository.host, ["systemctl", "show", "--property=MemoryCurrent", "--value", *units])
    return sum(int(word) for word in said.stdout.split() if word.isdigit())


def _sql(repository: Repository, query: str) -> str:
    argv = ["runuser", "-u", "postgres", "--", "psql", "--no-psqlrc", "-qAt", "-d", "siem", "-c", query]
    done = repository.lab.run(repository.host, argv, timeout=300)
    if done.code != 0:
        raise EngineError(f"The database refused: {done.stderr.strip()}", remedy="See the query.")
    return done.stdout.strip()

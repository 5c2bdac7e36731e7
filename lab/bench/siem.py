"""How many audit messages a second the repository stores for a minute, against rsyslog writing the same to a file."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from typing import TYPE_CHECKING

from lab.bench.programs import program
from lab.deadline import wait_until
from lab.errors import EngineError
from lab.hospital.answers import Answer, read
from lab.hospital.audit_stream import new_run, sender, stream
from lab.hospital.collected import FOLDER
from lab.hospital.repository import Repository

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lab.engine.lab import Lab
    from lab.hospital.audit_stream import Sent

SECONDS = 60.0
"""For which as many are sent as are taken."""
ALARMS, ALARM_RATE = 100, 10.0
"""Messages that a rule alarms about at rest, and how many a second; under load they are sent as long as it lasts."""
LOADED_ALARM_RATE = 2.0
PLAIN = 100_000
"""Messages that rsyslog is given."""
MOST = 10_000_000
WRITTEN_WITHIN = 300.0
POLL = 0.2
AIM = 15_000.0
"""Messages a second that the repository is meant to store, with all rules, in a lab as shipped on two cores."""
PARTS = {"edge": "syslog-tls", "intake": "audit-intake", "core": "audit-repository", "database": "postgresql"}
"""What a message passes on the repository's host, by the service whose unit does it."""
COLLECTOR = "syslog"
REST = "rest"


class Use(Answer):
    """What a unit has taken; see ``programs/used.py``."""

    seconds: float
    octets: float


@dataclass(frozen=True)
class Alarmed:
    """How soon an alert is stored.

    Attributes:
        sent: messages that a rule alarms about.
        alerts: alerts about them.
        median, slowest: seconds from sending the message to the acknowledgement that it is stored, and its alert with
            it in the same transaction; slowest of 99 %.
    """

    sent: int
    alerts: int
    median: float
    slowest: float


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
        alarmed_at_rest, alarmed_under_load: how soon alerts are stored.
        processor: microseconds of processor time a message, by part: ``sender``, the parts of :data:`PARTS`, and
            ``rest``, of whatever else ran on the repository's host meanwhile.
        peer_processor: the same where rsyslog writes them: ``sender``, ``edge``, ``collector``.
        memory: megabytes of each part before and after.
        disk: octets that the database takes for a million messages.
    """

    accepted: int
    stored: int
    a_second: float
    peer_a_second: float
    ratio: float
    median: float
    slowest: float
    alarmed_at_rest: Alarmed
    alarmed_under_load: Alarmed
    processor: Mapping[str, float]
    peer_processor: Mapping[str, float]
    memory: Mapping[str, tuple[int, int]]
    disk: int
    aim: float = AIM

    @property
    def passed(self) -> bool:
        """Whether nothing that was accepted is missing; the speed is told, and differs between machines."""
        alarmed = (self.alarmed_at_rest, self.alarmed_under_load)
        return self.stored == self.accepted and all(entry.alerts == entry.sent for entry in alarmed)

    def as_dict(self) -> dict[str, object]:
        """Return it as ``--json`` prints it."""
        return {**asdict(self), "passed": self.passed}


def bench_siem(lab: Lab, say: Callable[[str], None], seconds: float = SECONDS) -> Measured:
    """Send from one host over TLS, as its daemon does, and look at what is stored.

    Raises:
        EngineError: what was sent cannot be counted.
    """
    repository = Repository(lab)
    run = new_run()
    at_rest = _alarmed(repository, run, stream(lab, run, ALARMS, rate=ALARM_RATE, alarming=True))
    say(f"at rest: an alert is stored after {at_rest.median * 1000:.0f} ms")
    before, disk = _used(repository), _disk(repository)
    run, alarms = new_run(), new_run()
    with ThreadPoolExecutor(1) as beside:
        alarming = beside.submit(
            partial(stream, lab, alarms, MOST, rate=LOADED_ALARM_RATE, seconds=seconds, alarming=True)
        )
        load = stream(lab, run, MOST, seconds=seconds)
        alarmed = alarming.result()
    accepted = load.acknowledged
    after, grown = _used(repository), _disk(repository) - disk
    say(f"{accepted} messages in {load.seconds:.1f} s: {accepted / load.seconds:.0f} a second")
    under_load = _alarmed(repository, alarms, alarmed)
    say(f"under that load: an alert is stored after {under_load.median * 1000:.0f} ms")
    plain_before = _used(repository)
    plain = _plain(lab, repository.host)
    plain_after = _used(repository)
    peer = PLAIN / plain.seconds
    say(f"rsyslog: {peer:.0f} a second")
    return Measured(
        accepted=accepted,
        stored=_count(repository, run),
        a_second=round(accepted / load.seconds, 1),
        peer_a_second=round(peer, 1),
        ratio=round(accepted / load.seconds / peer, 3),
        median=round(load.median, 3),
        slowest=round(load.slowest, 3),
        alarmed_at_rest=at_rest,
        alarmed_under_load=under_load,
        processor=a_message(before, after, accepted, load.processor, [*PARTS, REST]),
        peer_processor=a_message(plain_before, plain_after, PLAIN, plain.processor, ["edge", "collector"]),
        memory={part: (int(before[part].octets) >> 20, int(after[part].octets) >> 20) for part in PARTS},
        disk=round(grown / max(accepted, 1) * 1_000_000),
    )


def a_message(
    before: Mapping[str, Use], after: Mapping[str, Use], messages: int, sending: float, parts: list[str]
) -> dict[str, float]:
    """Return microseconds of processor time a message, by part and of all together.

    Args:
        before: what parts had taken before.
        after: what they have taken.
        messages: how many came meanwhile.
        sending: seconds that the sender took.
        parts: which of them count.
    """
    seconds = {"sender": sending, **{part: after[part].seconds - before[part].seconds for part in parts}}
    seconds["all"] = sum(seconds.values())
    return {part: round(spent / max(messages, 1) * 1e6, 1) for part, spent in seconds.items()}


def _alarmed(repository: Repository, run: str, sent: Sent) -> Alarmed:
    about = f"SELECT position FROM siem.events WHERE run = '{run}'"  # noqa: S608 - a UUID of ours
    alerts = int(_sql(repository, f'SELECT count(DISTINCT "of") FROM siem.alerts WHERE "of" IN ({about})'))  # noqa: S608
    return Alarmed(sent.acknowledged, alerts, round(sent.median, 3), round(sent.slowest, 3))


def _plain(lab: Lab, centre: str) -> Sent:
    """Have rsyslog take the stream; return what came of it, with the seconds in which all of it was written."""
    run, begun = new_run(), time.monotonic()
    sent = stream(lab, run, PLAIN, plain=True)
    log = f"{FOLDER}/{sender(lab.site).flow.source}.jsonl"
    if not wait_until(lambda: lab.run(centre, ["grep", "-q", run, log]).code == 0, WRITTEN_WITHIN, POLL):
        raise EngineError("The collector has not written what it was sent.", remedy=f"See `pacslab logs {centre}`.")
    return sent.model_copy(update={"seconds": time.monotonic() - begun})


def _used(repository: Repository) -> dict[str, Use]:
    """What each part, the collector and the rest of the host have taken by now."""
    services = repository.lab.site.services(repository.host)
    units = {part: services[name].unit for part, name in {**PARTS, "collector": COLLECTOR}.items()}
    done = repository.lab.run(repository.host, ["python3", "-I", "-", *units.values()], input=program("used.py"))
    found = read(dict[str, Use], done.stdout, f"the processes of {repository.host}")
    return {**{part: found[unit] for part, unit in units.items()}, REST: found[REST]}


def _count(repository: Repository, run: str) -> int:
    """How many messages of a run are stored."""
    return int(_sql(repository, f"SELECT count(*) FROM siem.events WHERE run = '{run}'"))  # noqa: S608 - a UUID of ours


def _disk(repository: Repository) -> int:
    """Octets of the database."""
    return int(_sql(repository, "SELECT pg_database_size('siem')"))


def _sql(repository: Repository, query: str) -> str:
    argv = ["runuser", "-u", "postgres", "--", "psql", "--no-psqlrc", "-qAt", "-d", "siem", "-c", query]
    done = repository.lab.run(repository.host, argv, timeout=300)
    if done.code != 0:
        raise EngineError(f"The database refused: {done.stderr.strip()}", remedy="See the query.")
    return done.stdout.strip()

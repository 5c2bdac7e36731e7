"""Exactly the declared flows connect, and every refusal is on record."""

from __future__ import annotations

import time
from collections import defaultdict
from typing import TYPE_CHECKING

from lab.hospital.collected import Collected
from lab.verify.attempting import RATE, attempt_all
from lab.verify.check import Check
from lab.verify.forging import PROMISES, judge_forgeries
from lab.verify.holes import mutations
from lab.verify.judgement import ARRIVED, DECLARED, UNDECLARED, judge, record_wanted
from lab.verify.matrix import Attempt, attempts
from lab.verify.mirrors import WITNESS, judge_mirrors
from lab.verify.records import Records

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lab.engine.lab import Lab
    from lab.results.model import Result
    from lab.verify.attempting import Target
    from lab.verify.check import Context
    from lab.verify.refused_packets import RefusedPacket

LOGGED_AGAIN_AFTER = 61.0
"""Seconds after which the firewall logs a (source, target, port) again: its limit is once a minute."""
SLOW_RATE = 5.0
"""Attempts a second from one host, and from all in a zone together, at which no refusal is kept out of the log: of a
sender that is louder the firewall logs a part (role firewall, firewall_refusals_per_sender_per_second)."""
TRIED_AGAIN = 500
"""Refusals that may be missing because their sender was loud; where more are, something is broken."""


def check_segmentation(context: Context) -> Iterator[Result]:
    """Try every pair of hosts on every port of the site and on ports that nothing serves; then forged packets.

    Raises:
        EngineError: a host could not run the probe.
        UsageError: the site has no log collector.
    """
    lab = context.lab
    records = Records(Collected(lab))
    wanted = [
        attempt
        for attempt in attempts(lab.site)
        if context.wants_host(attempt.source, attempt.target)
        and context.wants(DECLARED if attempt.allowed else UNDECLARED)
    ]
    context.say(f"{len(wanted)} connections between {len(lab.site.hosts)} hosts")
    outcomes = _try(lab, wanted)
    tried_at = time.time()
    missing = _await_records(records, wanted)
    silent = [attempt for attempt in missing if outcomes[attempt] not in ARRIVED]
    if 0 < len(silent) <= TRIED_AGAIN:
        pause = _pause(records, silent, tried_at)
        context.say(f"{len(silent)} refusals are not on record; tried once more, and slowly, in {pause:.0f} s")
        time.sleep(pause)
        outcomes |= _try(lab, silent, SLOW_RATE)
        _await_records(records, silent)
    for attempt in wanted:
        yield judge(attempt, outcomes[attempt], records.seen)
    yield from judge_forgeries(context, records.collected)
    yield from judge_mirrors(context)


CHECK = Check(
    name="segmentation",
    summary="every pair of hosts on every service: the declared flows connect, all others are refused and logged; "
    "so are packets in another host's name, resets and error messages; who watches a zone sends nothing into it",
    promises=(DECLARED, UNDECLARED, *PROMISES.values(), WITNESS),
    judge=check_segmentation,
    mutations=mutations,
)


def _try(lab: Lab, wanted: Iterable[Attempt], rate: float = RATE) -> dict[Attempt, str]:
    by_source: dict[str, list[Attempt]] = defaultdict(list)
    for attempt in wanted:
        by_source[attempt.source].append(attempt)
    targets = {source: [_target(attempt) for attempt in mine] for source, mine in by_source.items()}
    answers = attempt_all(lab, targets, rate)
    return {attempt: answers[source][_target(attempt)] for source, mine in by_source.items() for attempt in mine}


def _target(attempt: Attempt) -> Target:
    return attempt.protocol, attempt.address, attempt.port


def _wanted(wanted: Iterable[Attempt]) -> dict[RefusedPacket, Attempt]:
    return {record: attempt for attempt in wanted if (record := record_wanted(attempt)) is not None}


def _await_records(records: Records, wanted: Iterable[Attempt]) -> list[Attempt]:
    """Wait for the refusals of these attempts; return those that have none."""
    expected = _wanted(wanted)
    records.await_all(expected.keys(), {attempt.judged_by for attempt in expected.values()})
    return [attempt for record, attempt in expected.items() if record not in records.seen]


def _pause(records: Records, missing: list[Attempt], tried_at: float) -> float:
    """Seconds until none of these is missing only because it was logged before, within the firewall's limit.

    A line that was logged when it was tried, and lost on its way to the collector, counts there too.
    """
    before = records.before({attempt.judged_by for attempt in missing})
    latest = max((before[record] for record in _wanted(missing) if record in before), default=0.0)
    return max(0.0, max(latest, tried_at) + LOGGED_AGAIN_AFTER - time.time())

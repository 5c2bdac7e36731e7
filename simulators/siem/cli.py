"""The command ``pacslab-siem`` on the repository's host: what is stored, how senders stand, whether it is unchanged."""

from __future__ import annotations

import argparse
import json
import os
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg

from simulators.errors import ArgumentError, NotFoundError, SimulatorError
from simulators.identity import become_service_user
from simulators.siem.incidents.decide import decide
from simulators.siem.incidents.model import Choice
from simulators.siem.incidents.store import Postgres
from simulators.siem.incidents.store import read as read_incidents
from simulators.siem.store import search
from simulators.siem.store.verify import Checkpoint, verify
from simulators.siem.switch import switch_off, switch_on

if TYPE_CHECKING:
    from collections.abc import Callable

READER, OFFICER = "siem-reader", "siem-officer"
TARGET = "host=/run/postgresql dbname=siem user={}"
TARGET_VARIABLE = "PACSLAB_SIEM_DATABASE"
PUBLIC = Path("/var/lib/pacslab-siem/signing.pub")
FAULT, ARGUMENT, NOT_READY = 1, 2, 4
SECONDS = 120.0
"""For which a rule is switched off where nothing else is said."""
SWITCHES = ("switch-off", "switch-on")
LONG_AGO = datetime.min.replace(tzinfo=UTC)


def main(argv: list[str]) -> int:
    """Do what the arguments say; return 0, 1 where a record is not as it was, 2 for arguments, 4 without a database."""
    arguments = _parser().parse_args(argv)
    if arguments.verb in SWITCHES:
        return _switch(arguments)
    user = OFFICER if arguments.verb in {"hold", "release", "decide"} else READER
    try:
        if TARGET_VARIABLE not in os.environ:
            become_service_user(user)
        target = os.environ.get(TARGET_VARIABLE, TARGET.format(user))
        with psycopg.connect(target, autocommit=True, connect_timeout=5) as connection:
            code: int = arguments.does(connection, arguments)
    except psycopg.errors.InvalidTextRepresentation as error:
        sys.stderr.write(f"error: {error}\n")
        return ARGUMENT
    except (ArgumentError, NotFoundError) as error:
        sys.stderr.write(f"error: {error} {error.remedy}\n")
        return ARGUMENT
    except (psycopg.Error, SimulatorError) as error:
        sys.stderr.write(f"error: {error}\n")
        return NOT_READY
    return code


def _switch(arguments: argparse.Namespace) -> int:
    """Take a rule out of the judge for a while, or put it back: without the database, as root."""
    try:
        if arguments.verb == "switch-on":
            switch_on(arguments.rule)
            _write({"rule": arguments.rule, "state": "on"})
        else:
            switch = switch_off(arguments.rule, arguments.seconds, arguments.reason)
            until = datetime.fromtimestamp(switch.until, tz=UTC)
            _write({"rule": switch.rule, "state": "off", "until": until.isoformat(), "by": switch.by})
    except ArgumentError as error:
        sys.stderr.write(f"error: {error} {error.remedy}\n")
        return ARGUMENT
    except (SimulatorError, OSError) as error:
        sys.stderr.write(f"error: {error}\n")
        return NOT_READY
    return 0


def _events(connection: psycopg.Connection, arguments: argparse.Namespace) -> int:
    """Of positions: what shows an alert."""
    for found in search.at_positions(connection, arguments.position, arguments.since or LONG_AGO):
        _write({"position": found.position, "received": found.received.isoformat(), "fields": found.fields})
    return 0


def _show(connection: psycopg.Connection, arguments: argparse.Namespace) -> int:
    wanted = {name: value for name in search.BY if (value := getattr(arguments, name)) is not None}
    if not wanted:
        sys.stderr.write(f"error: say what is wanted: {', '.join(f'--{name}' for name in search.BY)}\n")
        return ARGUMENT
    for found in search.find(connection, wanted, arguments.since, arguments.limit):
        _write({"position": found.position, "received": found.received.isoformat(), "fields": found.fields})
    return 0


def _verify(connection: psycopg.Connection, arguments: argparse.Namespace) -> int:
    """Read what others have kept from standard input: JSON with ``key`` and ``checkpoints``."""
    given: dict[str, Any] = json.load(sys.stdin) if arguments.kept else {}
    key = given.get("key") or arguments.key.read_text("ascii").strip()
    checkpoints = [
        Checkpoint(int(entry["number"]), str(entry["head"]), str(entry.get("holder", "")))
        for entry in given.get("checkpoints", ())
    ]
    report = verify(connection, bytes.fromhex(key), checkpoints)
    _write({**asdict(report), "key": key})
    return FAULT if report.fault else 0


def _head(connection: psycopg.Connection, arguments: argparse.Namespace) -> int:
    found = search.head(connection) or {}
    _write({**found, "key": arguments.key.read_text("ascii").strip()})
    return 0


def _senders(connection: psycopg.Connection, _: argparse.Namespace) -> int:
    for sender in search.senders(connection):
        _write(sender)
    return 0


def _quarantine(connection: psycopg.Connection, arguments: argparse.Namespace) -> int:
    rows = connection.execute(
        "SELECT position, received, host, run, number, reason, raw FROM siem.quarantine"
        " ORDER BY received DESC, position DESC LIMIT %s",
        [arguments.limit],
    ).fetchall()
    for position, received, host, run, number, reason, raw in reversed(rows):
        _write({
            "position": position, "received": received.isoformat(), "host": host, "run": str(run), "number": number,
            "reason": reason, "raw": bytes(raw).decode("utf-8", "backslashreplace"),
        })  # fmt: skip
    return 0


def _alerts(connection: psycopg.Connection, arguments: argparse.Namespace) -> int:
    rows = connection.execute(
        'SELECT position, received, host, rule, level, "of", fields::text FROM siem.alerts'
        " WHERE received >= %s ORDER BY received DESC, position DESC LIMIT %s",
        [arguments.since or LONG_AGO, arguments.limit],
    ).fetchall()
    for position, received, host, rule, level, about, fields in reversed(rows):
        _write({
            "position": position, "received": received.isoformat(), "host": host, "rule": rule, "level": level,
            "of": about, "fields": json.loads(fields),
        })  # fmt: skip
    return 0


def _incidents(connection: psycopg.Connection, arguments: argparse.Namespace) -> int:
    for incident in read_incidents(Postgres(connection), arguments.since or LONG_AGO)[-arguments.limit :]:
        _write(incident.as_dict())
    return 0


def _decide(connection: psycopg.Connection, arguments: argparse.Namespace) -> int:
    store = Postgres(connection)
    known = read_incidents(store, LONG_AGO)
    now = datetime.now(tz=UTC)
    decision = decide(
        known, arguments.incident, Choice(arguments.choice), person=arguments.person, note=arguments.note, at=now
    )
    store.add(decision)
    _write({"incident": decision.incident, "choice": decision.choice, "person": decision.person})
    return 0


def _hold(connection: psycopg.Connection, arguments: argparse.Namespace) -> int:
    row = connection.execute(
        "INSERT INTO siem.holds (first, last, reason) VALUES (%s, %s, %s) RETURNING hold",
        [arguments.first, arguments.last, arguments.reason],
    ).fetchone()
    _write({"hold": str(row[0]) if row else None})
    return 0


def _release(connection: psycopg.Connection, arguments: argparse.Namespace) -> int:
    connection.execute("INSERT INTO siem.releases (hold, reason) VALUES (%s, %s)", [arguments.hold, arguments.reason])
    _write({"released": arguments.hold})
    return 0


def _write(entry: dict[str, Any]) -> None:
    sys.stdout.write(f"{json.dumps(entry, ensure_ascii=True)}\n")


def _time(text: str) -> datetime:
    when = datetime.fromisoformat(text)
    return when if when.tzinfo else when.replace(tzinfo=UTC)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="pacslab-siem", description="The repository of audit records.")
    verbs = parser.add_subparsers(dest="verb", required=True)

    def verb(name: str, does: Callable[..., int], says: str) -> argparse.ArgumentParser:
        made = verbs.add_parser(name, help=says, description=says)
        made.set_defaults(does=does)
        return made

    show = verb("show", _show, "Events of an accession number, a patient, a person, a study or a host, a line each.")
    for name in search.BY:
        show.add_argument(f"--{name}", metavar="VALUE")
    events = verb("events", _events, "Events of these positions, a line each.")
    events.add_argument("position", type=int, nargs="+", help="as `events` of an alert names it")
    events.add_argument("--since", type=_time, help="received since then (RFC 3339)")
    alerts = verb("alerts", _alerts, "Alerts, a line each.")
    quarantine = verb("quarantine", _quarantine, "What came and is no audit message, a line each.")
    for given in (show, alerts):
        given.add_argument("--since", type=_time, help="received since then (RFC 3339)")
    for given in (show, alerts, quarantine):
        given.add_argument("--limit", type=int, default=search.LIMIT, help="how many at most, the newest")
    proof = verb("verify", _verify, "Prove that nothing was changed, removed, inserted or cut off.")
    proof.add_argument("--kept", action="store_true", help="read key and checkpoints from standard input")
    newest = verb("head", _head, "Number, head and signature of the newest batch, for others to keep.")
    for given in (proof, newest):
        given.add_argument("--key", type=Path, default=PUBLIC, help="file with the public key")
    verb("senders", _senders, "Each host that has sent: last heard, numbers, gaps, what was kept apart.")
    incidents = verb("incidents", _incidents, "What one actor did, of all alerts, a line each.")
    incidents.add_argument("--since", type=_time, help="of alerts received since then (RFC 3339)")
    incidents.add_argument("--limit", type=int, default=search.LIMIT, help="how many at most, the newest")
    decision = verb("decide", _decide, "Note what a person decided about an incident.")
    decision.add_argument("incident", type=int, help="its number")
    decision.add_argument("choice", choices=[str(choice) for choice in Choice])
    decision.add_argument("--person", required=True, help="who decided, by the name at sign-on")
    decision.add_argument("--note", required=True, help="why")
    off = verb("switch-off", _switch, "Take a rule out of the judge for a while; told as an event and an alert.")
    off.add_argument("rule", help="its name in docs/detections.md")
    off.add_argument("--seconds", type=float, default=SECONDS, help="after which it is on again by itself")
    off.add_argument("--reason", required=True, help="why, for the record")
    on = verb("switch-on", _switch, "Put a rule back into the judge.")
    on.add_argument("rule", help="its name")
    hold = verb("hold", _hold, "Keep days, however old they get.")
    hold.add_argument("first", help="first day")
    hold.add_argument("last", help="last day")
    release = verb("release", _release, "Let a hold go.")
    release.add_argument("hold", help="as it was told when it was placed")
    for given in (hold, release):
        given.add_argument("--reason", required=True)
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

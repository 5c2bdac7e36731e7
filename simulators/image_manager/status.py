"""What the image manager has to do, has done, and could not do."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from simulators.command_line import Result, table
from simulators.errors import SimulatorError
from simulators.events.actions import SETTLE
from simulators.events.report import write_event
from simulators.image_manager.configuration import load
from simulators.image_manager.forward import CURSOR
from simulators.image_manager.orthanc import OrthancClient
from simulators.image_manager.store import Store
from simulators.image_manager.troubles import SET_ASIDE, decide, troubles

if TYPE_CHECKING:
    import argparse

    from simulators.settings import Settings


SHOWN = ("id", "queue", "item", "state", "errors", "error")


def status(_: argparse.Namespace, settings: Settings) -> Result:
    """Return queues, cursor and last errors; exit code 0 also while work waits."""
    configuration = load()
    store = Store(configuration.state)
    with store.transaction() as db:
        count = {
            name: int(db.execute(f"SELECT count(*) FROM {name}").fetchone()[0])  # noqa: S608 - names of our own
            for name in ("messages", "patients", "merges", "procedures")
        }
        work = [dict(row) for row in db.execute("SELECT identifier, authority, attempts, error FROM work")]
        transfers = [
            dict(row)
            for row in db.execute(
                "SELECT target, count(*) AS series, sum(done < asked) AS waiting, sum(instances) AS instances,"
                " max(sent_at) AS last_sent FROM transfers GROUP BY target"
            )
        ]
        errors = [
            dict(row)
            for row in db.execute(
                "SELECT target, series AS item, attempts, error FROM transfers WHERE error IS NOT NULL AND done < asked"
                " UNION ALL SELECT target, study, attempts, error FROM notifications"
                " WHERE error IS NOT NULL AND done < asked"
            )
        ]
        notifications = [
            dict(row)
            for row in db.execute(
                "SELECT target, count(*) AS studies, sum(done < asked) AS waiting, sum(instances) AS instances,"
                " max(told_at) AS last_told FROM notifications GROUP BY target"
            )
        ]
        aside = [asdict(trouble) for trouble in troubles(db, SET_ASIDE)]
    for row in transfers:
        row["last_sent"] = _moment(row["last_sent"])
    for row in notifications:
        row["last_told"] = _moment(row["last_told"])
    data: dict[str, Any] = {
        "host": settings.host.name,
        "archive": _archive(OrthancClient(configuration)),
        "cursor": store.cursor(CURSOR),
        **count,
        "restamping": work,
        "spooled": len(list((configuration.state / "spool").glob("*.dcm"))),
        "transfers": transfers,
        "notifications": notifications,
        "errors": errors,
        "set_aside": aside,
    }
    facts = [f"{name}: {data[name]}" for name in ("archive", "cursor", *count, "spooled")]
    text = "\n".join(
        [
            *facts,
            "\nimages to restamp:",
            table(work, ["identifier", "authority", "attempts", "error"]),
            "\narchives:",
            table(transfers, ["target", "series", "waiting", "instances", "last_sent"]),
            "\norder fillers:",
            table(notifications, ["target", "studies", "waiting", "instances", "last_told"]),
            "\nfailing:",
            table(errors, ["target", "item", "attempts", "error"]),
            "\nset aside:",
            table(aside, SHOWN),
        ]
    )
    return Result(data, text)


def set_aside(arguments: argparse.Namespace, _: Settings) -> Result:
    """Decide as the arguments ask, and return all that has failed and is not done.

    Raises:
        NotFoundError: there is no such number.
        ArgumentError: nothing is to be decided on it.
    """
    with Store(load().state).transaction() as db:
        for number, again in ((arguments.retry, True), (arguments.drop, False)):
            if number is not None:
                decided = decide(db, number, again=again)
                write_event(SETTLE, queue=decided.queue, item=decided.item, state="waiting" if again else "dropped")
        rows = [{**asdict(trouble), "since": _moment(trouble.since)} for trouble in troubles(db)]
    return Result(rows, table(rows, SHOWN))


def procedures(_: argparse.Namespace, __: Settings) -> Result:
    """Return the procedures that the filler has announced (RAD-4), and when their images came."""
    with Store(load().state).transaction() as db:
        rows = [dict(row) for row in db.execute("SELECT * FROM procedures ORDER BY changed")]
    for row in rows:
        row["changed"], row["images_at"] = _moment(row["changed"]), _moment(row["images_at"])
    return Result(rows, table(rows, ["accession", "patient", "modality", "description", "state", "images_at"]))


def _archive(archive: OrthancClient) -> str:
    try:
        archive.changes(0, limit=1)
    except SimulatorError as error:
        return error.message
    return "answers"


def _moment(seconds: float | None) -> str | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")

"""The quarantine as somebody sees it who is there to decide: list, release, discard."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from simulators.command_line import Result, table
from simulators.identity import require_service_user
from simulators.image_manager.cli import USER
from simulators.image_manager.configuration import load
from simulators.image_manager.orthanc import OrthancClient
from simulators.image_manager.quarantine import Quarantine, as_row, chosen, held
from simulators.image_manager.store import Store

if TYPE_CHECKING:
    import argparse

    from simulators.image_manager.quarantine import Held
    from simulators.settings import Settings

SHOWN = ("id", "at", "reason", "ae_title", "patient", "accession", "study", "instance")


def quarantine(_: argparse.Namespace, __: Settings) -> Result:
    """Return what is in quarantine.

    Raises:
        OtherUserError: it is none of the user's business.
    """
    require_service_user(USER)
    with Store(load().state).transaction() as db:
        rows = [as_row(entry) for entry in held(db)]
    for row, moment in zip(rows, [row["at"] for row in rows], strict=True):
        row["at"] = datetime.fromtimestamp(float(str(moment)), UTC).isoformat(timespec="seconds")
    return Result(rows, table(rows, SHOWN))


def release(arguments: argparse.Namespace, _: Settings) -> Result:
    """Put objects into the archive, whatever the schedule says; the event names who decided.

    Raises:
        OtherUserError: it is none of the user's business.
        ArgumentError: none is named.
        NotFoundError: one that is named is not there.
        RefusedError: the archive has another object, or another patient's study, with their UIDs.
        UnreachableError: the archive does not answer.
    """
    keeper, entries = _chosen(arguments)
    for entry in entries:
        keeper.release(entry)
    return _done("released", entries)


def discard(arguments: argparse.Namespace, _: Settings) -> Result:
    """Give objects up; the event names who decided.

    Raises:
        OtherUserError: it is none of the user's business.
        ArgumentError: none is named.
        NotFoundError: one that is named is not there.
    """
    keeper, entries = _chosen(arguments)
    for entry in entries:
        keeper.discard(entry)
    return _done("discarded", entries)


def _chosen(arguments: argparse.Namespace) -> tuple[Quarantine, list[Held]]:
    require_service_user(USER)
    configuration = load()
    store = Store(configuration.state)
    with store.transaction() as db:
        entries = chosen(db, arguments.ids, arguments.study)
    return Quarantine(store, OrthancClient(configuration), configuration.state / "quarantine"), entries


def _done(what: str, entries: list[Held]) -> Result:
    instances = [entry.instance for entry in entries]
    return Result({what: instances}, f"{what}: {len(instances)} objects")

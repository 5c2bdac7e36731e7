"""``pacslab snapshot``: keep, list and remove configured labs."""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from typing import TYPE_CHECKING

from lab.cli.display import shown
from lab.engine.client import Docker
from lab.engine.images import Images
from lab.engine.lab import Lab
from lab.engine.lock import locked
from lab.errors import UsageError
from lab.events import Bus
from lab.operate import snapshot
from lab.operate.bring_up import LabBringUp
from lab.operate.event_log import RunLog
from lab.settings import Settings, load_settings

if TYPE_CHECKING:
    import argparse

EXAMPLE = """
pacslab snapshot save monday
pacslab up --from monday --lab other
pacslab snapshot list
pacslab snapshot remove monday
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what to do, and with which snapshot."""
    parser.add_argument("what", choices=["save", "list", "remove"], help="what to do")
    parser.add_argument("name", nargs="?", metavar="SNAPSHOT", help="its name")


def run(arguments: argparse.Namespace) -> int:
    """Do it; 0 when done."""
    settings = load_settings()
    if arguments.what == "list":
        _list(settings, as_json=arguments.json)
        return 0
    if arguments.name is None:
        raise UsageError(
            f"Which snapshot is to be {arguments.what}d?", remedy=f"'pacslab snapshot {arguments.what} NAME'."
        )
    if arguments.what == "remove":
        snapshot.remove(settings, Docker(), Images(), arguments.name)
        result = {"removed": arguments.name}
    else:
        result = asdict(_save(settings, arguments.lab, arguments.name))
    print(json.dumps(result) if arguments.json else f"Snapshot {arguments.name}: {arguments.what}d.")
    return 0


def _save(settings: Settings, lab_name: str, name: str) -> snapshot.Snapshot:
    with locked(settings.state, lab_name):
        lab = Lab.open(lab_name, settings)
        bus = Bus()
        log = RunLog(lab.folder)
        bus.subscribe(log)
        try:
            with shown(bus, list(lab.record.hosts)):
                try:
                    return snapshot.save(settings, lab, name, bus)
                finally:
                    LabBringUp(lab, bus).run()
        finally:
            log.close()


def _list(settings: Settings, *, as_json: bool) -> None:
    kept = snapshot.load_all(settings)
    if as_json:
        print(json.dumps({"snapshots": [asdict(entry) for entry in kept]}))
        return
    for member in kept:
        moment = time.strftime("%Y-%m-%d %H:%M", time.localtime(member.at))
        print(
            f"{member.name}  {moment}  site {member.site}, {len(member.images) - 1} hosts, kept from lab {member.lab}"
        )

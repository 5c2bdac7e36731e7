"""``pacslab up``: bring a lab up, or repair it."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from lab.cli import numbers, status
from lab.cli.display import shown
from lab.cli.target import described_lab
from lab.engine.lock import locked
from lab.errors import PacslabError
from lab.events import Bus, Warned
from lab.operate.bring_up import HEALTHY_SECONDS, LabBringUp
from lab.operate.event_log import RunLog
from lab.settings import load_settings

if TYPE_CHECKING:
    import argparse

    from lab.engine.lab import Lab

EXAMPLE = """
pacslab up
pacslab up --site small-practice --lab mine
pacslab up --from monday --lab other
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare how long to wait, and the snapshot to start from."""
    parser.add_argument(
        "--timeout",
        type=numbers.seconds,
        default=HEALTHY_SECONDS,
        metavar="SECONDS",
        help=f"how long hosts may take to become healthy once configured (default: {HEALTHY_SECONDS})",
    )
    parser.add_argument("--again", action="store_true", help="configure every host, whether or not anything changed")
    parser.add_argument("--from", dest="snapshot", metavar="SNAPSHOT", help="start a new lab from a snapshot")


def run(arguments: argparse.Namespace) -> int:
    """Bring the lab up; 0 when every service of every host is healthy."""
    settings = load_settings()
    with locked(settings.state, arguments.lab):
        if arguments.snapshot:
            from lab.operate.snapshot import prepare_clone  # noqa: PLC0415 # not every run needs it

            prepare_clone(settings, arguments.snapshot, arguments.lab)
        lab = described_lab(arguments)
        _bring_up(lab, arguments)
    if arguments.json:
        print(json.dumps(status.as_dict(lab, lab.health())))
    else:
        print(f"{lab.name}: all {len(lab.site.hosts)} hosts are healthy.")
    return 0


def _bring_up(lab: Lab, arguments: argparse.Namespace) -> None:
    bus = Bus()
    log = RunLog(lab.folder)
    bus.subscribe(log)
    try:
        with shown(bus, list(lab.site.hosts)):
            LabBringUp(lab, bus, arguments.timeout, again=arguments.again).run()
    except KeyboardInterrupt:
        bus.emit(Warned("interrupted"))
        print(
            f"\nInterrupted. Everything stays as it is; 'pacslab up --lab {lab.name}' goes on from here, "
            f"'pacslab down --lab {lab.name}' removes it.",
            file=sys.stderr,
        )
        raise
    except PacslabError as error:
        bus.emit(Warned(error.message, error.remedy))
        raise
    finally:
        log.close()

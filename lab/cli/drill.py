"""``pacslab drill``: make faults on purpose, and count what is there afterwards."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING

from lab.cli import judging
from lab.engine.lab import Lab

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence

    from lab.drills.model import Drill
    from lab.events import Event

EXAMPLE = """
pacslab drill list
pacslab drill run
pacslab drill run full-log-disk full-disk --from monday
pacslab drill run kill-host --host pacs-rad --here --json
pacslab drill run load --size orders=12 --size images=5
"""
PURPOSE = "drill"
"""The clone is called ``<lab>-drill``."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What to do, with which drills, and where."""
    parser.add_argument("action", choices=["list", "run"], help="list the drills, or run some")
    parser.add_argument("drills", nargs="*", metavar="DRILL", help="which; none for all")
    parser.add_argument(
        "--host", action="append", default=[], metavar="HOST", help="faults at this host; may be repeated"
    )
    parser.add_argument(
        "--from", dest="snapshot", metavar="SNAPSHOT", help="what the clone is made from (default: the lab)"
    )
    parser.add_argument(
        "--size", action="append", default=[], metavar="NAME=N", help="another size of a drill; may be repeated"
    )
    parser.add_argument("--here", action="store_true", help="make the faults on the lab itself, not on a clone")
    judging.add_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """List drills, or run some: 0 when each fault was noticed and repaired and nothing was lost, 1 when not."""
    from lab.drills.registry import chosen, sized  # noqa: PLC0415 # --help needs none of it

    wanted = chosen(arguments.drills)
    sizes = sized(wanted, arguments.size)
    if arguments.action == "list":
        print(_listed(wanted, as_json=arguments.json))
        return 0
    from lab.drills.perform import perform  # noqa: PLC0415

    lab = Lab.open(arguments.lab)
    for host in arguments.host:
        lab.container(host)
    words = ["run", *arguments.drills]
    options = [*(["--here"] if arguments.here else []), *(f"--size {word}" for word in arguments.size)]
    run_of = judging.kept_run(lab, "drill", words, arguments.junit, hosts=arguments.host, options=options)
    with run_of as kept, _where(lab, arguments) as target:
        for result in perform(wanted, target, judging.say, arguments.host, sizes):
            kept.add(result)
            judging.say(f"{judging.WORDS[result.outcome]}  {result}")
    if arguments.json:
        results = [result.as_dict() for result in kept.results]
        print(json.dumps({"run": kept.id, **kept.summary(), "results": results}, indent=1))
    else:
        print(judging.total(kept))
    return 0 if kept.passed else 1


@contextmanager
def _where(lab: Lab, arguments: argparse.Namespace) -> Iterator[Lab]:
    """The lab itself, or a clone of it that is removed at the end."""
    if arguments.here:
        yield lab
        return
    from lab.events import Bus, StageStarted  # noqa: PLC0415
    from lab.operate.trial import trial_lab  # noqa: PLC0415
    from lab.settings import load_settings  # noqa: PLC0415

    def tell(event: Event) -> None:
        if isinstance(event, StageStarted):
            judging.say(f"clone: {event.stage} {event.detail}".rstrip())

    bus = Bus()
    bus.subscribe(tell)
    with trial_lab(load_settings(), lab, PURPOSE, bus, arguments.snapshot) as clone:
        yield clone


def _listed(drills: Sequence[Drill], *, as_json: bool) -> str:
    if as_json:
        rows = [
            {
                "id": drill.id,
                "title": drill.title,
                "noticed": drill.noticed.text,
                "noticed_within": drill.noticed.within,
                "repair": drill.repair.text,
                "healthy_within": drill.repair.within,
                "counted": drill.counted,
                "sizes": dict(drill.sizes),
            }
            for drill in drills
        ]
        return json.dumps(rows, indent=1)
    lines = []
    for drill in drills:
        lines.append(f"{drill.id}  {drill.title}")
        lines.append(f"    noticed within {drill.noticed.within:g} s: {drill.noticed.text}")
        lines.append(f"    repaired within {drill.repair.within:g} s: {drill.repair.text}; counted: {drill.counted}")
        if drill.sizes:
            lines.append(f"    sizes: {', '.join(f'{name}={size}' for name, size in drill.sizes.items())}")
    return "\n".join(lines)

"""What a person sees while a lab is worked on: a live table on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from lab.events import (
    HostPhase,
    ImageFinished,
    ImageStarted,
    Note,
    Phase,
    StageFinished,
    StageStarted,
    TaskFinished,
    Warned,
)
from lab.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Group

    from lab.events import Bus, Event

STYLES = {Phase.HEALTHY: "green", Phase.UNHEALTHY: "yellow", Phase.CONFIGURING: "cyan"}


def sentence(event: Event) -> str | None:  # noqa: PLR0911 # one line for each type of event
    """What an event says in a plain line; None for those that only a live table shows."""
    match event:
        case StageStarted(stage=stage, detail=detail):
            return f"{stage} ..." + (f" ({detail})" if detail else "")
        case StageFinished(stage=stage, seconds=seconds):
            return f"{stage} done in {seconds:.1f} s"
        case ImageStarted(image=image):
            return f"building image {image}"
        case ImageFinished(image=image, seconds=seconds):
            return f"built image {image} in {seconds:.1f} s"
        case HostPhase(host=host, phase=(Phase.HEALTHY | Phase.UNHEALTHY | Phase.REMOVED) as phase, detail=detail):
            return f"{host} {phase.value}" + (f": {detail}" if detail else "")
        case HostPhase(host=host, phase=Phase.STARTED, detail=detail) if detail:
            return f"{host} started ({detail})"
        case TaskFinished(host=host, task=task, status=("failed" | "unreachable") as status, detail=detail):
            return f"{host} {status}: {task}: {detail}"
        case Note(text=text):
            return text
        case Warned(text=text, remedy=remedy):
            return f"warning: {text}. {remedy}"
        case _:
            return None


def print_line(event: Event) -> None:
    """Print an event as a line with its time, to standard error: standard output is for results."""
    text = sentence(event)
    if text:
        print(time.strftime("%H:%M:%S", time.localtime(event.at)), printable(text), file=sys.stderr, flush=True)


class LiveTable:
    """Each host's phase, the running stage, and what is being done in it."""

    def __init__(self, hosts: list[str]) -> None:
        """Start with every host waiting."""
        self.phases: dict[str, tuple[Phase, str]] = dict.fromkeys(hosts, (Phase.WAITING, ""))
        self.stage = ""
        self.began = time.monotonic()

    def take(self, event: Event) -> None:
        """Note what an event changes."""
        match event:
            case StageStarted(stage=stage, detail=detail):
                self.stage = f"{stage} {detail}"
            case ImageStarted(image=image):
                self.stage = f"image {image}"
            case HostPhase(host=host, phase=phase, detail=detail):
                self.phases[host] = (phase, detail)
            case TaskFinished(host=host, task=task):
                self.phases[host] = (Phase.CONFIGURING, task)
            case _:
                return

    def __rich__(self) -> Group:
        """Draw the table; where a line is too long, its last column gives way."""
        from rich.console import Group  # noqa: PLC0415 # only a terminal pays for it
        from rich.table import Column, Table  # noqa: PLC0415
        from rich.text import Text  # noqa: PLC0415

        whole = (Column(title, no_wrap=True) for title in ("host", "phase"))
        table = Table(*whole, "", box=None, pad_edge=False)
        for host, (phase, detail) in self.phases.items():
            first = detail.strip().splitlines()[0] if detail.strip() else ""
            rest = Text(printable(first), style="dim", no_wrap=True, overflow="ellipsis")
            table.add_row(host, Text(phase.value, style=STYLES.get(phase, "")), rest)
        caption = f"{time.monotonic() - self.began:.0f} s  {self.stage}"
        return Group(table, Text(printable(caption), style="dim italic", no_wrap=True, overflow="ellipsis"))


@contextmanager
def shown(bus: Bus, hosts: list[str], *, quiet: bool = False) -> Iterator[None]:
    """Show the events of a bus while the work goes on."""
    if quiet:
        yield
        return
    if not sys.stderr.isatty():
        bus.subscribe(print_line)
        yield
        return
    from rich.console import Console  # noqa: PLC0415 # only a terminal pays for it
    from rich.live import Live  # noqa: PLC0415

    table = LiveTable(hosts)
    bus.subscribe(table.take)
    with Live(table, console=Console(stderr=True), refresh_per_second=4):
        yield

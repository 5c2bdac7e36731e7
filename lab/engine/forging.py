"""Puts frames on the cables of a running lab, whatever they claim, and tells which of them arrived."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lab.engine import names
from lab.engine.execute import execute
from lab.engine.hosts import pids
from lab.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lab.engine.lab import Lab

PROGRAM = Path(__file__).with_name("forge.py")


@dataclass(frozen=True)
class Forged:
    """A frame, where it goes on the cable, and how it is known where it arrives.

    Attributes:
        host: From whose card it is sent; empty for an interface of the fabric: the far end of a host's cable, past the
            fabric's own filter.
        interface: The interface there.
        octets: The frame.
        victim: The host on whose first card it is looked for.
        mark: Octets of it that nothing else there has.
    """

    host: str
    interface: str
    octets: bytes
    victim: str
    mark: bytes


def arrived(lab: Lab, frames: Sequence[Forged]) -> list[bool]:
    """Send all; the answer is for each whether it arrived. No program of a host is run for it.

    Raises:
        EngineError: they could not be sent.
    """
    running = pids(lab.docker, lab.name, lab.site.hosts)
    victims = dict.fromkeys(frame.victim for frame in frames)
    watch = [{"name": host, "pid": running[host], "interface": lab.site.interfaces(host)[0].name} for host in victims]
    send = [
        {
            "name": str(number),
            "pid": running[frame.host] if frame.host else None,
            "interface": frame.interface,
            "frame": frame.octets.hex(),
            "at": frame.victim,
            "mark": frame.mark.hex(),
        }
        for number, frame in enumerate(frames)
    ]
    argv = ["python3", "-ISc", PROGRAM.read_text("utf-8")]
    task = json.dumps({"watch": watch, "send": send}).encode()
    done = execute(lab.docker, names.fabric(lab.name), argv, input=task, timeout=60)
    if done.code != 0:
        raise EngineError(f"No forged frame was sent: {done.stderr.strip()[-300:]}", remedy="Run `pacslab up` first.")
    seen = set(json.loads(done.stdout))
    return [str(number) in seen for number in range(len(frames))]

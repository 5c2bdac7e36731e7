"""Puts frames on the cables of a running lab, whatever they claim, and tells which of them arrived."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lab.engine import names
from lab.engine.execute import execute
from lab.engine.hosts import pids
from lab.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lab.engine.lab import Lab

HEAR = 15.0
"""Seconds within which a connection is heard."""
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
    seen = set(_run(lab, {"watch": watch, "send": send}))
    return [str(number) in seen for number in range(len(frames))]


def next_number(lab: Lab, host: str, own: int, speaker: tuple[str, int], speak: Callable[[], object]) -> int:
    """The sequence number that the next segment (TCP) of a connection from an address and port to a host will have.

    Args:
        lab: The running lab.
        host: Who is spoken to; its first card is listened at.
        own: Its port of the connection: it may have several to one speaker.
        speaker: The address and port that speak.
        speak: Makes it speak; called again until something was heard.

    Raises:
        EngineError: nothing was heard.
    """
    pid = pids(lab.docker, lab.name, [host])[host]
    wanted = {
        "pid": pid,
        "interface": lab.site.interfaces(host)[0].name,
        "source": speaker[0],
        "port": speaker[1],
        "own": own,
        "seconds": HEAR,
    }
    with ThreadPoolExecutor(max_workers=1) as pool:
        hearing = pool.submit(_run, lab, {"hear": wanted})
        while not hearing.done():
            speak()
            wait([hearing], timeout=0.3)
        number = hearing.result()
    if number is None:
        raise EngineError(
            f"{host} was told nothing by {speaker[0]}.", remedy="See its log-forwarding in `pacslab status`."
        )
    return int(number)


def _run(lab: Lab, task: dict[str, Any]) -> Any:
    """Run the program in the fabric.

    Raises:
        EngineError: it did not run.
    """
    argv = ["python3", "-ISc", PROGRAM.read_text("utf-8")]
    done = execute(lab.docker, names.fabric(lab.name), argv, input=json.dumps(task).encode(), timeout=60)
    if done.code != 0:
        raise EngineError(f"No forged frame was sent: {done.stderr.strip()[-300:]}", remedy="Run `pacslab up` first.")
    return done.read(object, f"the fabric of lab {lab.name!r}")

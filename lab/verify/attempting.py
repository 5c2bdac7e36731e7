"""Sends the probe program to lab hosts and brings back what each attempt came to."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from lab.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lab.engine.lab import Lab

PROGRAM = Path(__file__).with_name("probe.py").read_bytes()
TIMEOUT = 0.9
"""Seconds for an answer: under the first retransmission of a SYN (RFC 6298: 1 s), so that an attempt is one packet."""
RATE = 250.0
"""Attempts a second from one host."""
HOSTS_AT_ONCE = 4
"""Sources that run at the same time; with RATE it bounds what the firewall has to log."""

Target = tuple[str, str, int]
"""Protocol, address, port."""


def attempt_all(lab: Lab, wanted: Mapping[str, Sequence[Target]], rate: float = RATE) -> dict[str, dict[Target, str]]:
    """Run the attempts of every source, ``rate`` a second from each, and return the outcome of each.

    Raises:
        EngineError: the probe did not run on a host.
    """
    with ThreadPoolExecutor(max_workers=HOSTS_AT_ONCE) as pool:
        outcomes = pool.map(lambda source: attempt_from(lab, source, wanted[source], rate), wanted)
        return dict(zip(wanted, outcomes, strict=True))


def attempt_from(lab: Lab, source: str, targets: Sequence[Target], rate: float = RATE) -> dict[Target, str]:
    """Run the attempts of one host; on a foreign device nothing runs, only from its place in the network.

    Raises:
        EngineError: the probe did not run.
    """
    task = json.dumps({"timeout": TIMEOUT, "rate": rate, "targets": targets})
    patience = 30 + len(targets) / rate + TIMEOUT
    run = lab.run if source in lab.site.managed else lab.run_from_place
    done = run(source, ["python3", "-I", "-", task], input=PROGRAM, timeout=patience)
    if done.code != 0:
        raise EngineError(
            f"The probe did not run on {source}: {done.stderr.strip()[-300:]}",
            remedy=f"See whether `pacslab exec {source} -- python3 --version` works.",
        )
    return dict(zip(targets, done.read(list[str], source), strict=True))

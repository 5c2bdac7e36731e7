#!/usr/bin/python3 -IS
"""Run the daemon of audit messages (simulators/audit), and after a host's start some seconds later.

The journal keeps what happens meanwhile, so nothing is lost by it. To read Python's modules, and the first handshakes
of all hosts, would come at the moment when every service wants the processor.
"""

from __future__ import annotations

import os
import signal
import sys
import time

LIBRARY = "/usr/local/lib/pacslab/audit"
RUNTIME = "/run/pacslab-audit"
LEAST, SPREAD = 5.0, 10.0
"""Seconds that it waits for, and by how much they differ between hosts, so that not all come at once."""


def wait_after_boot(runtime: str, least: float, spread: float) -> None:
    """Wait, if the daemon has not begun since the host's start; a stop ends that, new certificates do not."""
    begun = f"{runtime}/begun"
    if os.path.exists(begun):  # noqa: PTH110 - pathlib takes longer to import than all of this
        return
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    _write(f"{runtime}/late")  # the health probe finds that nothing is late
    time.sleep(least + spread * os.urandom(1)[0] / 255)
    _write(begun)


def _write(path: str) -> None:
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o644))


def main() -> int:
    """Wait, then do what the daemon does."""
    wait_after_boot(os.environ.get("RUNTIME_DIRECTORY", RUNTIME), LEAST, SPREAD)
    sys.path.insert(0, LIBRARY)
    from simulators.audit.serve import main as serve  # noqa: PLC0415 - this is what takes the time

    return serve()


if __name__ == "__main__":
    sys.exit(main())

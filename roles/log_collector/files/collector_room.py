#!/usr/bin/python3 -IS
"""Close the syslog edge before the disk of the log is full, and open it again when there is room.

While it is closed each sender keeps its lines. What the collector has taken in by then is written into the room that is
left: the edge closes at half of what the site's description asks for (/etc/pacslab/collector-room.json), where the host
is not healthy already.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from pacslab_event import write_event
from pacslab_room import needed_octets

SETTINGS = Path("/etc/pacslab/collector-room.json")
FOLDER = Path("/var/log/pacslab")
EDGE = "/usr/local/lib/pacslab/collector-edge"
PERIOD = 0.5  # seconds
CLOSE_BELOW, OPEN_ABOVE = 0.5, 0.75  # of the room that the description asks for


def has_room(folder: Path, wanted: dict[str, int], *, had: bool) -> bool:
    """Return whether there is room for what senders have; between the two bounds it is as it was."""
    facts = os.statvfs(folder)
    return facts.f_bavail * facts.f_frsize >= needed_octets(facts, wanted) * (CLOSE_BELOW if had else OPEN_ABOVE)


def main() -> None:
    """Look again and again; the unit restarts this program when the description changes."""
    wanted = json.loads(SETTINGS.read_text("utf-8"))["free_space"]
    had, told = True, False
    while True:
        has = has_room(FOLDER, wanted, had=had)
        if has != had or not told:
            subprocess.run([EDGE, "room" if has else "full"], check=True)
            if not has:
                write_event("take-lines", "refused", "no-room", folder=str(FOLDER))
            elif told:
                write_event("take-lines", folder=str(FOLDER))
            had, told = has, True
        time.sleep(PERIOD)


if __name__ == "__main__":
    main()

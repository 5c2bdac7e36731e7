"""Removes the labs and snapshots that tests made: those called ``test`` or ``test-...``.

Run as ``python -m tests.clear``. Tests remove their own; this is for a run that was killed.
"""

from __future__ import annotations

import sys

from lab.engine import names
from lab.engine.client import Docker
from lab.operate.snapshot import load_all
from lab.settings import load_settings
from tests.conftest import OWN
from tests.lab_commands import pacslab


def made_by_tests(name: str) -> bool:
    """Whether a lab or snapshot of this name is one of the tests'."""
    return name == OWN or name.startswith(f"{OWN}-")


def main() -> int:
    """Remove them; 0 when none is left, 5 when one could not be removed."""
    settings = load_settings()
    labs = {path.name for path in settings.state.glob("*/") if (path / "lab.json").exists()}
    labs |= {container["Labels"][names.LAB] for container in Docker().containers(names.LAB)}
    commands = [("down", "--lab", lab) for lab in sorted(labs) if made_by_tests(lab)]
    commands += [("snapshot", "remove", kept.name) for kept in load_all(settings) if made_by_tests(kept.name)]
    ended = [pacslab(*words) for words in commands]
    for ran in ended:
        sys.stderr.write(ran.err)
    return 5 if any(ran.code for ran in ended) else 0


if __name__ == "__main__":
    sys.exit(main())

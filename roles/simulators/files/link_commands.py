"""Make the simulators importable and link each of their commands into /usr/local/bin."""

from __future__ import annotations

import sysconfig
from pathlib import Path

LIBRARY = Path("/opt/pacslab/lib")
LAUNCHER = Path("/opt/pacslab/bin/simulator")
BIN = Path("/usr/local/bin")


def main() -> None:
    """Write the path file, then bring the links to what the table of commands says."""
    Path(sysconfig.get_path("purelib"), "pacslab.pth").write_text(f"{LIBRARY}\n", "utf-8")
    from simulators.commands import COMMANDS  # noqa: PLC0415 # its folder is this file's own, so it needs no path file

    for link in BIN.iterdir():
        if link.is_symlink() and link.readlink() == LAUNCHER and link.name not in COMMANDS:
            link.unlink()
    for name in COMMANDS:
        link = BIN / name
        if not (link.is_symlink() and link.readlink() == LAUNCHER):
            link.unlink(missing_ok=True)
            link.symlink_to(LAUNCHER)


if __name__ == "__main__":
    main()

"""Bring this host's administrators to what the site says: an account for each, and nobody else's way in.

Argument: the file that names them, a JSON list. Each has an account without a password, is in the group that becomes
root with sudo, and comes in by a certificate that names the account. Of somebody who is gone, what runs is ended, and
the account goes with its folder.
"""

from __future__ import annotations

import grp
import hashlib
import json
import os
import pwd
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

GROUP = "administrators"
OF_THE_ROLE = {"administrator", "emergency"}
"""Accounts that the role's image has."""
PRINCIPALS = Path("/etc/ssh/principals")
ANNOUNCED = Path("/var/lib/pacslab-integrity/changed")


def main() -> None:
    """Make who is missing, and take out who is gone."""
    wanted = set(json.loads(Path(sys.argv[1]).read_text("utf-8")))
    known = set(grp.getgrnam(GROUP).gr_mem) - OF_THE_ROLE
    for name in sorted(known - wanted):
        dismiss(name)
    for name in sorted(wanted - known):
        options = ["--create-home", "--user-group", "--groups", GROUP, "--shell", "/bin/bash", "--password", "*"]
        subprocess.run(["useradd", *options, "--key", "HOME_MODE=0700", name], check=True)
    for path in PRINCIPALS.iterdir():
        if path.name not in wanted | OF_THE_ROLE:
            announce("- - - -", path)
            path.unlink()
    for name in sorted(wanted):
        path, text = PRINCIPALS / name, f"{name}\n".encode()
        if not path.exists() or path.read_bytes() != text:
            announce(f"{hashlib.sha256(text).hexdigest()} 0644 0 0", path)
            path.write_bytes(text)
        path.chmod(0o644)


def announce(entry: str, path: Path) -> None:
    """Note what will stand at a path, for what watches the host's files (role file_integrity), where that is."""
    if ANNOUNCED.parent.is_dir():
        handle = os.open(ANNOUNCED, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        with os.fdopen(handle, "a", encoding="utf-8") as file:
            file.write(f"{entry} {path}\n")


def dismiss(name: str) -> None:
    """Close the way in first, then end what runs, then remove the account."""
    announce("- - - -", PRINCIPALS / name)
    (PRINCIPALS / name).unlink(missing_ok=True)
    uid = pwd.getpwnam(name).pw_uid
    for process in Path("/proc").iterdir():
        if process.name.isdecimal():
            with suppress(OSError):  # it has ended meanwhile
                if process.stat().st_uid == uid:
                    os.kill(int(process.name), signal.SIGKILL)
    subprocess.run(["userdel", "--force", "--remove", name], check=True, stderr=subprocess.DEVNULL)


if __name__ == "__main__":
    main()

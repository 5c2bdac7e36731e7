"""Take TLS, edges and packet filters off the host that this runs on, for good; sent there as text.

Argument: JSON, ``{"ports": {peer: {service: port}}, "addresses": {host: address}, "module": text}``: for each service
behind an edge the port on which its application listens, the hosts' addresses, and the module that takes the security
out of the simulators. Ends with 1 where something is not as it is known here.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

SIMULATOR, ARCHIVE = Path("/etc/pacslab/simulator.json"), Path("/etc/orthanc/pacslab.json")
LIBRARIES = Path("/opt/pacslab/venv/lib")
MODULE = "pacslab_plain"
UNITS = ("orthanc.service", "pacslab-image-manager.service", "pacslab-ehr.service", "pacslab-ris.service",
         "pacslab-modality.service")  # fmt: skip
"""Applications, in the order in which they are started again."""
STOPPED = ("haproxy.service", "rsyslog.service")
"""Edges, and the transport of logs, which is over TLS alone."""
NEVER_CALLED = 1
"""The port that the archive's configuration gives to those who only call."""


def simulator(told: dict[str, Any]) -> None:
    """Call every peer where its application listens."""
    settings = json.loads(SIMULATOR.read_text("utf-8"))
    for peer in settings["peers"]:
        peer["port"] = told["ports"].get(peer["name"], {}).get(peer["service"], peer["port"])
    SIMULATOR.write_text(json.dumps(settings), "utf-8")
    (packages,) = LIBRARIES.glob("python3*/site-packages")
    (packages / f"{MODULE}.py").write_text(told["module"], "utf-8")
    (packages / f"{MODULE}.pth").write_text(f"import {MODULE}; {MODULE}.apply()\n", "utf-8")


def archive(told: dict[str, Any]) -> None:
    """Take and open connections without an edge, and the database without TLS."""
    settings = json.loads(ARCHIVE.read_text("utf-8"))
    for name, peer in settings["DicomModalities"].items():
        peer["Host"] = told["addresses"][name]
        if peer["Port"] != NEVER_CALLED:
            peer["Port"] = told["ports"][name]["dicom-tls"]
    settings |= {"RemoteAccessAllowed": True, "AuthenticationEnabled": False}
    database = settings["PostgreSQL"]
    database["ConnectionUri"], changed = re.subn(
        "sslmode=verify-full&.*&hostaddr=", "sslmode=disable&hostaddr=", database["ConnectionUri"]
    )
    if changed != 1:
        raise ValueError("the archive's connection to its database has another form")
    ARCHIVE.write_text(json.dumps(settings), "utf-8")


def database(rules: Path) -> None:
    """Believe every client's address; a server of its own host's services alone has none."""
    before = rules.read_text("utf-8")
    if re.search(r"^local .*peer$", before, re.MULTILINE) and not re.search(r"^host", before, re.MULTILINE):
        return
    text, changed = re.subn(r"^hostssl( +\S+ +\S+ +\S+) +cert .*$", r"host\1 trust", before, flags=re.MULTILINE)
    if not changed:
        raise ValueError(f"{rules} has another form")
    rules.write_text(text, "utf-8")
    run("systemctl", "reload", "postgresql@*.service")


def run(*words: str) -> None:
    """Run a command that has to succeed."""
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL)


def active(units: tuple[str, ...]) -> list[str]:
    """Those of these units that run."""
    done = subprocess.run(["systemctl", "is-active", *units], capture_output=True, text=True, check=False)
    return [unit for unit, state in zip(units, done.stdout.split(), strict=True) if state == "active"]


def main(told: dict[str, Any]) -> None:
    """Take it all off."""
    if SIMULATOR.exists():
        simulator(told)
    if ARCHIVE.exists():
        archive(told)
    for rules in Path("/etc/postgresql").glob("*/*/pg_hba.conf"):
        database(rules)
    run("nft", "flush", "ruleset")
    if stopped := active(STOPPED):
        run("systemctl", "stop", *stopped)
    for unit in active(UNITS):
        run("systemctl", "restart", unit)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))

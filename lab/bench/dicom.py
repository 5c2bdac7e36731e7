"""How fast images pass from a scanner into the archive, through firewall, TLS and AE title binding."""

from __future__ import annotations

import json
import time
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from lab.bench.figures import Figure, alternate
from lab.errors import EngineError, UsageError
from lab.scenarios.archive import Archive

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lab.engine.lab import Lab

IMAGES = 200
SENDER = Path(__file__).with_name("sender.py").read_bytes()
PYTHON = ["env", "PYTHONPATH=/opt/pacslab/lib", "/opt/pacslab/venv/bin/python", "-"]
SHIPPED = "/var/lib/pacslab-bench"
UNIT = "pacslab-bench-orthanc"
LEAST_OF_PLAIN = 0.9
LEAST_OF_SHIPPED = 5.0


def bench_dicom(lab: Lab, repetitions: int, say: Callable[[str], None]) -> list[Figure]:
    """Compare three ways of storing the same number of CT images, alternating.

    - through everything: from a CT scanner through firewall, TLS and AE title binding into Orthanc;
    - plain: C-STORE to the same Orthanc on its own host;
    - as shipped: Orthanc with its own defaults, and a sender without TCP_NODELAY, both on the archive's host.

    Raises:
        UsageError: the site has no CT scanner that may store.
        EngineError: images were not stored.
    """
    scanner, archive = _ends(lab)
    title = lab.site.hosts[scanner].ae_title
    called = lab.site.hosts[archive].ae_title
    port = lab.site.services(archive)["dicom"].port
    with _shipped(lab, archive) as shipped_port:
        runs: dict[str, Callable[[], float]] = {
            "through everything": partial(_send, lab, scanner, archive, {"no_delay": True}, user="modality"),
            "plain": partial(
                _send, lab, archive, archive, {"no_delay": True, "calling": title, "called": called, "port": port}
            ),
            "as shipped": partial(
                _send,
                lab,
                archive,
                None,
                {"no_delay": False, "calling": title, "called": "ORTHANC", "port": shipped_port},
            ),
        }
        taken = alternate(runs, repetitions, say)
    what = f"C-STORE of {IMAGES} CT images from {scanner} through firewall, TLS and AE title binding"
    ours = taken["through everything"]
    return [
        Figure(what, f"plain C-STORE on {archive} itself", ours, taken["plain"], LEAST_OF_PLAIN, faster=True),
        Figure(what, "Orthanc and sender as shipped", ours, taken["as shipped"], LEAST_OF_SHIPPED, faster=True),
    ]


def _ends(lab: Lab) -> tuple[str, str]:
    for flow in lab.site.flows:
        if "C-STORE" in flow.permits and lab.site.hosts[flow.source].modality == "CT":
            return flow.source, flow.target
    raise UsageError("The site has no CT scanner that may store.", remedy="Run it on a site that has one.")


def _send(lab: Lab, host: str, archive: str | None, task: dict[str, object], *, user: str = "root") -> float:
    """Send fresh images, check that all were stored, and remove them again; return the seconds of sending."""
    study = f"2.25.{time.time_ns()}"
    argv = [*PYTHON, json.dumps({**task, "images": IMAGES, "study": study})]
    done = lab.run(host, argv, input=SENDER, user=user, timeout=300)
    answer = json.loads(done.stdout) if done.code == 0 else {"stored": 0}
    if answer["stored"] != IMAGES:
        raise EngineError(
            f"{answer['stored']} of {IMAGES} images were stored from {host}: {done.stderr.strip()[-300:]}",
            remedy="Look at `pacslab status`, and at the archive's log.",
        )
    if archive is not None:
        _remove(lab, study)
    return float(answer["seconds"])


def _remove(lab: Lab, study: str) -> None:
    """Remove the images from every archive; what the first one was forwarding ends with it."""
    for host, entry in lab.site.hosts.items():
        if "orthanc" in entry.roles:
            Archive(lab, host).remove_study(study)


@contextmanager
def _shipped(lab: Lab, host: str) -> Iterator[int]:
    """Run a second Orthanc with its own defaults on the archive's host, on loopback; yields its DICOM port.

    Raises:
        EngineError: it does not start.
    """
    free = "import socket; s = socket.create_server(('127.0.0.1', 0)); print(s.getsockname()[1])"
    port = int(lab.run(host, ["python3", "-c", free]).stdout)
    settings = {
        "StorageDirectory": f"{SHIPPED}/storage",
        "IndexDirectory": f"{SHIPPED}/storage",
        "DicomPort": port,
        "HttpServerEnabled": False,
        "Plugins": [],
    }
    try:
        lab.write(host, f"{SHIPPED}/orthanc.json", json.dumps(settings).encode())
        start = [
            "systemd-run",
            "--quiet",
            "--collect",
            f"--unit={UNIT}",
            "/usr/sbin/Orthanc",
            f"{SHIPPED}/orthanc.json",
        ]
        started = lab.run(host, start)
        if started.code != 0 or not _answers(lab, host, port):
            raise EngineError(
                f"A second Orthanc does not start on {host}: {started.stderr.strip()}",
                remedy=f"See `pacslab exec {host} -- journalctl -u {UNIT}`.",
            )
        yield port
    finally:
        lab.run(host, ["systemctl", "stop", UNIT])
        lab.run(host, ["rm", "-rf", SHIPPED])


def _answers(lab: Lab, host: str, port: int) -> bool:
    program = (
        "import socket, sys, time\n"
        "for _ in range(150):\n"
        "    try:\n"
        f"        socket.create_connection(('127.0.0.1', {port}), 1).close(); sys.exit(0)\n"
        "    except OSError:\n"
        "        time.sleep(0.1)\n"
        "sys.exit(1)\n"
    )
    return lab.run(host, ["python3", "-c", program]).code == 0

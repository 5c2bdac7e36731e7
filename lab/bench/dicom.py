"""How fast images pass from a scanner into the archive, through firewall, TLS and AE title binding."""

from __future__ import annotations

import json
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, TypedDict

from lab.bench.figures import Figure, alternate
from lab.deadline import Deadline
from lab.errors import EngineError
from lab.hospital.announcing import announce
from lab.hospital.archive import Archive
from lab.hospital.hospital import Actor, Hospital
from lab.hospital.programs import program

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from lab.engine.lab import Completed, Lab
    from lab.hospital.image_manager import KeptProcedure

IMAGES = 200
PROTECTED = "through firewall, TLS and AE title binding"
NAME = "Benchmark^CT"
"""PatientName of the images that `pacslab-modality generate` makes."""
FOLDER = "/tmp/pacslab-bench"  # noqa: S108 # on a lab host, where only the bench makes it
SHIPPED = "/var/lib/pacslab-bench"
UNIT = "pacslab-bench-orthanc"
UNFINISHED = ("Pending", "Running", "Retry")
"""States of an Orthanc job that is still to do something."""
QUIET_SECONDS = 4
BUSY_SECONDS = 120
STARTS_WITHIN = 15
"""Seconds in which an Orthanc with its own defaults has to listen."""
PLAIN_ROUNDS = 4
"""Rounds against plain C-STORE in each repetition: its bound is close, and its runs are as quick as they are uneven."""
LEAST_OF_PLAIN = 0.85
LEAST_OF_SHIPPED = 5.0
PIECES = {
    "tls-transport": "all TLS records of a PDU leave in one call",
    "response-guard": "pynetdicom's own loop takes no response that a request waits for",
    "report-lock": "an association is released after the peer's event report is answered",
}
"""What the simulators add to pynetdicom, each in a module of its own that an environment variable switches off."""


class _Sent(TypedDict):
    """What a scanner says of its sending, as far as it is read."""

    seconds: float


def bench_dicom(lab: Lab, repetitions: int, say: Callable[[str], None], without: Sequence[str] = ()) -> list[Figure]:
    """Compare ways of storing the same CT images; the runs of both sides of a comparison alternate.

    - through everything: from a CT scanner through firewall, TLS and AE title binding into Orthanc;
    - plain: C-STORE to the same Orthanc on its own host;
    - as shipped: Orthanc with its own defaults, and a sender without TCP_NODELAY, both on the archive's host.

    The first two send as the scanner does, the last as toolkits do: over one association.
    For each piece in ``without`` (see :data:`PIECES`), also through everything with and without that piece.

    Raises:
        UsageError: the site has no CT scanner that may store.
        EngineError: images were not stored.
    """
    scanner, archive = _ends(lab)
    port = lab.site.services(archive)["dicom"].port
    there = ["--plain", "--host", "127.0.0.1", "--calling", str(lab.site.hosts[scanner].ae_title)]
    plain = [*there, "--called", str(lab.site.hosts[archive].ae_title), "--port", str(port)]
    ours = partial(_send, lab, scanner, [])
    plainly = partial(_send, lab, archive, plain)
    shipped = partial(_send_as_shipped, lab, archive, there)

    def against(peer: str, run: Callable[[], float], rounds: int, least: float | None) -> Figure:
        taken = alternate({PROTECTED: ours, peer: run}, rounds, say)
        what = f"C-STORE of {IMAGES} CT images from {scanner} {PROTECTED}"
        return Figure(what, peer, taken[PROTECTED], taken[peer], least, faster=True)

    hospital = Hospital(lab)
    expected = announce(hospital, archive, hospital.described(scanner).modality or "", "Benchmark")
    with _images(lab, scanner, expected), _images(lab, archive, expected):
        say(f"warming up: {ours():.2f} s, {plainly():.2f} s")
        return [
            against(f"plain C-STORE on {archive} itself", plainly, repetitions * PLAIN_ROUNDS, LEAST_OF_PLAIN),
            against("Orthanc and sender as shipped", shipped, repetitions, LEAST_OF_SHIPPED),
            *(
                against(f"the same without {piece}", partial(_send, lab, scanner, [], piece), repetitions, None)
                for piece in without
            ),
        ]


def _ends(lab: Lab) -> tuple[str, str]:
    """A CT scanner, and the archive that it sends to.

    Raises:
        UsageError: the site has none.
    """
    hospital = Hospital(lab)
    scanner = hospital.host(Actor("acquisition", "CT"))
    return scanner, hospital.archive_of(scanner)


@contextmanager
def _images(lab: Lab, host: str, expected: KeptProcedure) -> Iterator[None]:
    """Make the images of an examination that the archive expects on a host; they are removed again.

    Raises:
        EngineError: they were not made.
    """
    try:
        lab.run(host, ["rm", "-rf", FOLDER])
        named = ["--patient", expected.patient, "--accession", expected.accession, "--study", expected.study_uid]
        command = [*_as_caller(lab, host), "pacslab-modality", "generate", FOLDER, str(IMAGES), *named]
        done = lab.run(host, command, timeout=300)
        if done.code != 0:
            raise EngineError(
                f"No images were made on {host}: {done.stderr.strip()[-300:]}", remedy="Look at its free memory."
            )
        yield
    finally:
        lab.run(host, ["rm", "-rf", FOLDER])


def _as_caller(lab: Lab, host: str) -> list[str]:
    """How a command becomes an account whose programs may open the host's archive over loopback; nothing elsewhere."""
    services = lab.site.services(host)
    accounts = lab.site.local_callers(host, "dicom") if "http" in services and "dicom" in services else []
    return [
        part
        for account in accounts[:1]
        for part in ("setpriv", f"--reuid={account}", f"--regid={account}", "--init-groups")
    ]


def switch(piece: str) -> str:
    """The environment variable that switches off what a piece adds."""
    return f"PACSLAB_WITHOUT_{piece.upper().replace('-', '_')}"


def _send(lab: Lab, host: str, how: list[str], without: str | None = None) -> float:
    """Send the images and remove them again; return the seconds from opening the first association to the last release.

    Raises:
        EngineError: they were not stored.
    """
    environment = ["env", f"{switch(without)}=1"] if without else []
    done = lab.run(
        host,
        [*_as_caller(lab, host), *environment, "pacslab-modality", "store", f"{FOLDER}/", *how, "--json"],
        timeout=300,
    )
    _remove(lab)
    _settle(lab)
    if done.code != 0:
        raise EngineError(
            f"The images were not stored from {host}: {(done.stderr or done.stdout).strip()[-300:]}",
            remedy="Look at `pacslab status`, and at the archive's log.",
        )
    return done.read(_Sent, f"pacslab-modality on {host}")["seconds"]


def _send_as_shipped(lab: Lab, host: str, there: list[str]) -> float:
    """Send them to an Orthanc of its own defaults, without TCP_NODELAY, over one association."""
    with _shipped(lab, host) as port:
        how = [*there, "--called", "ORTHANC", "--port", str(port), "--nagle", "--associations", "1"]
        return _send(lab, host, how)


def _archives(lab: Lab) -> list[Archive]:
    """The archive that is measured, and those that it sends on to."""
    _, first = _ends(lab)
    return [Archive(lab, host) for host in (first, *Hospital(lab).sends_on_to(first))]


def _remove(lab: Lab) -> None:
    """Remove the images from every archive; what the first one was forwarding ends with it."""
    for archive in _archives(lab):
        archive.remove_studies(PatientName=NAME)


def _settle(lab: Lab) -> None:
    """Wait until no archive has had a job for a while: forwarding would compete with the next run for the processor.

    Raises:
        EngineError: an archive goes on being busy.
    """
    deadline = Deadline(BUSY_SECONDS)
    quiet = Deadline(QUIET_SECONDS)
    while not quiet.over:
        jobs = [job for archive in _archives(lab) for job in archive.ask("/jobs?expand")]
        if any(job["State"] in UNFINISHED for job in jobs):
            quiet = Deadline(QUIET_SECONDS)
        if deadline.over:
            raise EngineError(
                f"The archives are still busy after {BUSY_SECONDS} s.",
                remedy="Measure while nobody works in the lab; `pacslab-image-manager status` says what is waiting.",
            )
        deadline.pause(0.5)


@contextmanager
def _shipped(lab: Lab, host: str) -> Iterator[int]:
    """Run a second Orthanc with its own defaults on the archive's host, on loopback; yields its DICOM port.

    Raises:
        EngineError: it does not start.
    """
    port = int(_port(lab, host, "free").stdout)
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
        if started.code != 0 or _port(lab, host, "await", str(port), str(STARTS_WITHIN)).code != 0:
            raise EngineError(
                f"A second Orthanc does not start on {host}: {started.stderr.strip()}",
                remedy=f"See `pacslab exec {host} -- journalctl -u {UNIT}`.",
            )
        yield port
    finally:
        lab.run(host, ["systemctl", "stop", UNIT])
        lab.run(host, ["rm", "-rf", SHIPPED])


def _port(lab: Lab, host: str, *words: str) -> Completed:
    """Run the program that looks at loopback ports."""
    return lab.run(host, ["python3", "-I", "-", *words], input=program("port.py"))

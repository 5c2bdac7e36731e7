"""Security updates that hosts lack: what apt would install, simulated on this machine with the hosts' package lists.

apt's own state is left alone: the index of the hosts' Debian release is kept in a folder of ours, and what is installed
is told it in a file that is made of a host's package list. Signatures are checked as always.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from packageurl import PackageURL

from lab.assets.model import Kind
from lab.images.debian import KEYRING, SUITE, Mirror

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from lab.assets.model import Installed, Package

ARCHIVE, SECURITY = "http://deb.debian.org/debian", "http://deb.debian.org/debian-security"
"""Where mmdebstrap, without settings, takes packages from."""
TIMEOUT = 120
_WOULD_INSTALL = re.compile(r"^Inst (?P<name>\S+) \[(?P<old>\S+)\] \((?P<new>\S+) (?P<origins>.*?) \[\S+\]\)")
_OF_SECURITY = re.compile(r"\bDebian-Security:")


@dataclass(frozen=True)
class Update:
    """A package for which a newer version is there; ``security`` where the security archive has it."""

    package: str
    installed: str
    available: str
    security: bool


@dataclass(frozen=True)
class Updates:
    """What hosts lack.

    Attributes:
        hosts: By host, what it lacks; hosts of which nothing is known are left out.
        index_from: When the index was fetched; ``None`` where there is none.
        problem: Why the index is not of today, or why nothing could be found out; empty where all went well.
    """

    hosts: Mapping[str, tuple[Update, ...]]
    index_from: datetime | None
    problem: str = ""


def missing_updates(installed: Mapping[str, Installed], folder: Path) -> Updates:
    """What each host lacks, by the index of its release. Where the mirror does not answer, an older index counts.

    Args:
        installed: what is on the hosts.
        folder: where the index is kept; it is made where it is missing.
    """
    if shutil.which("apt-get") is None:
        return Updates({}, None, "this machine has no apt-get, which reads the package index")
    problem = _refresh(folder)
    stamp = folder / "fetched"
    if not stamp.is_file():
        return Updates({}, None, problem)
    fetched = datetime.fromtimestamp(stamp.stat().st_mtime, UTC)
    known: dict[tuple[Package, ...], tuple[Update, ...]] = {}
    found: dict[str, tuple[Update, ...]] = {}
    for host, own in installed.items():
        if own.source:
            if own.packages not in known:
                lacks, failure = _simulate(folder, own.packages)
                if failure:
                    return Updates(found, fetched, failure)
                known[own.packages] = lacks
            found[host] = known[own.packages]
    return Updates(found, fetched, problem)


def parse_simulation(text: str) -> tuple[Update, ...]:
    """What ``apt-get --simulate upgrade`` would replace; packages that would be new are no updates."""
    found = (match for line in text.splitlines() if (match := _WOULD_INSTALL.match(line)))
    newer = (
        match for match in found if match["old"] != match["new"]
    )  # apt takes what it knows less of for another build
    return tuple(
        Update(match["name"], match["old"], match["new"], _OF_SECURITY.search(match["origins"]) is not None)
        for match in newer
    )


def status_file(packages: Iterable[Package]) -> str:
    """Debian packages as dpkg keeps what is installed; without their dependencies, which only hold updates back."""
    return "".join(
        f"Package: {package.name}\nStatus: install ok installed\nMaintainer: -\n"
        f"Architecture: {_architecture(package)}\nVersion: {package.version}\nDescription: -\n\n"
        for package in packages
        if package.kind is Kind.DEBIAN
    )


def _architecture(package: Package) -> str:
    return str(PackageURL.from_string(package.purl).to_dict()["qualifiers"].get("arch", "all"))


def _refresh(folder: Path) -> str:
    """Fetch the index again; say why that did not work."""
    for part in ("lists/partial", "archives/partial", "etc"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    mirror = Mirror.from_environment()
    lines = mirror.sources() or Mirror(ARCHIVE, SECURITY).sources()
    signed = f"[signed-by={KEYRING}] " if KEYRING.exists() else ""
    sources = "".join(line.replace("deb ", f"deb {signed}", 1) + "\n" for line in lines)
    (folder / "etc/sources.list").write_text(sources, "ascii")
    (folder / "status").write_text("", "ascii")
    try:
        done = _apt(folder, folder / "status", ["update", "--quiet", "--error-on=any"])
    except subprocess.TimeoutExpired:
        return f"the index of {SUITE} was not fetched within {TIMEOUT} s"
    if done.returncode:
        why = next((line for line in done.stderr.splitlines() if line.startswith(("E:", "W:"))), done.stderr.strip())
        return f"the index of {SUITE} could not be fetched: {why}"
    (folder / "fetched").touch()
    return ""


def _simulate(folder: Path, packages: Sequence[Package]) -> tuple[tuple[Update, ...], str]:
    with tempfile.NamedTemporaryFile("w", prefix="pacslab-status-", encoding="utf-8") as status:
        status.write(status_file(packages))
        status.flush()
        try:
            done = _apt(folder, Path(status.name), ["--simulate", "--with-new-pkgs", "upgrade"])
        except subprocess.TimeoutExpired:
            return (), f"apt-get did not end within {TIMEOUT} s"
    if done.returncode:
        return (), f"apt-get could not say what hosts lack: {done.stderr.strip()[-300:]}"
    return parse_simulation(done.stdout), ""


def _apt(folder: Path, status: Path, words: Sequence[str]) -> subprocess.CompletedProcess[str]:
    options = {
        "Dir::State": folder,
        "Dir::State::status": status,
        "Dir::State::lists": folder / "lists",
        "Dir::Cache": folder,
        "Dir::Cache::archives": folder / "archives",
        "Dir::Etc::sourcelist": folder / "etc/sources.list",
        "Dir::Etc::sourceparts": "-",
        "Dir::Etc::preferences": "-",
        "Dir::Etc::preferencesparts": "-",
        "Acquire::Languages": "none",
        "APT::Get::List-Cleanup": "true",
        "APT::Sandbox::User": "root",  # the folder is the user's own, who need not be root
        "Debug::NoLocking": "true",
    }
    argv = ["apt-get", *(f"-o{name}={value}" for name, value in options.items()), *words]
    return subprocess.run(
        argv,
        capture_output=True,
        text=True,
        check=False,
        timeout=TIMEOUT,
        env={**os.environ, "LC_ALL": "C.UTF-8"},
        errors="replace",
    )

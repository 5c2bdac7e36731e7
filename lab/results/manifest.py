"""What a run was made with: enough to tell whether its results still speak of what is there now."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

from lab.engine import names
from lab.operate.inputs import tree_digest
from lab.settings import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from lab.engine.lab import Lab

PACKAGES = ("pacslab", "ansible-core", "ansible-runner", "mitogen", "pydantic", "pytest-testinfra")
"""Python packages whose version is kept."""


@dataclass(frozen=True)
class Manifest:
    """The circumstances of a run.

    Attributes:
        verb: What was run, with its arguments.
        commit: The commit of the toolkit, or empty where it is no checkout.
        clean: Whether the checkout was as committed; None where that is not known.
        site: The site's name.
        site_digest: A digest of everything in the site's folder.
        lab: The lab's name.
        snapshot: The snapshot that the lab was made from, or None.
        images: The key of each host's image, by host.
        tools: Versions by tool.
        machine: What it ran on: kernel, architecture, processors, memory in bytes.
        begun: When it began, in seconds since 1970.
        hosts: The hosts that it was narrowed to; empty where it judged all.
    """

    verb: str
    commit: str
    clean: bool | None
    site: str
    site_digest: str
    lab: str
    snapshot: str | None
    images: Mapping[str, str]
    tools: Mapping[str, str]
    machine: Mapping[str, Any]
    begun: float
    hosts: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return the manifest as the store keeps it."""
        return asdict(self)


def manifest(lab: Lab, verb: str, begun: float, hosts: Iterable[str] = (), *, engine: bool = True) -> Manifest:
    """Look around and write down what there is; without ``engine`` for machines that are no containers."""
    commit, clean = _checkout()
    tools = {"docker": lab.docker.call("GET", "/version")["Version"]} if engine else {}
    containers = lab.docker.containers(f"{names.LAB}={lab.name}") if engine else []
    return Manifest(
        verb=verb,
        commit=commit,
        clean=clean,
        site=lab.record.site,
        site_digest=tree_digest(lab.site.path.parent),
        lab=lab.name,
        snapshot=lab.record.snapshot,
        images={
            host: container["Labels"].get("pacslab.key") or container["ImageID"]
            for container in containers
            if (host := container["Labels"].get(names.HOST))
        },
        tools={"python": platform.python_version(), **tools, **_packages()},
        machine={
            "system": platform.platform(),
            "architecture": platform.machine(),
            "processors": os.cpu_count() or 0,
            "memory": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
            "interpreter": sys.executable,
        },
        begun=begun,
        hosts=tuple(hosts),
    )


def _checkout() -> tuple[str, bool | None]:
    """Commit and whether nothing differs from it; ("", None) where git cannot tell."""
    try:
        commit = _git("rev-parse", "HEAD")
        return commit.strip(), not _git("status", "--porcelain").strip()
    except (OSError, subprocess.CalledProcessError):
        return "", None


def _git(*words: str) -> str:
    return subprocess.run(["git", "-C", str(ROOT), *words], capture_output=True, text=True, check=True).stdout


def _packages() -> dict[str, str]:
    found = {}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found

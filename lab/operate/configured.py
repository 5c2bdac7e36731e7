"""Which hosts hold the configuration that the description, the roles and the certificates ask for now.

Kept beside the lab, not on its hosts: it is read and written without a round trip, and it is worthless without the
PKI that lies there too. An entry counts for one container only: a host whose container is replaced is configured again.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from lab.atomic_write import atomic_write
from lab.settings import ROOT
from lab.topology.variables import host_variables, site_variables

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from lab.topology.site import Site

FILE = "configured.json"
_SKIPPED = {"__pycache__", ".pytest_cache"}


class Configured:
    """The record of a lab: for each host its container and the digest of what it was configured from."""

    def __init__(self, folder: Path) -> None:
        """Read the record; one that is missing or damaged says that nothing is configured."""
        self._path = folder / FILE
        try:
            self._entries: dict[str, list[str]] = dict(json.loads(self._path.read_text("utf-8")))
        except (OSError, ValueError):
            self._entries = {}

    @property
    def any(self) -> bool:
        """Whether any host was ever configured."""
        return bool(self._entries)

    def knows(self, host: str, container: str) -> bool:
        """Whether this container of the host was configured at all."""
        return self._entries.get(host, [""])[0] == container

    def holds(self, host: str, container: str, digest: str) -> bool:
        """Whether this container of the host was configured from the same."""
        return self._entries.get(host) == [container, digest]

    def note(self, entries: Mapping[str, tuple[str, str]]) -> None:
        """Enter hosts as (container, digest)."""
        self._entries.update({host: list(entry) for host, entry in entries.items()})
        atomic_write(self._path, json.dumps(self._entries, indent=1) + "\n")


def digests(site: Site, folder: Path) -> dict[str, str]:
    """For each host a digest of everything that its configuration is made from."""
    shared = hashlib.sha256()
    shared.update(json.dumps(site_variables(site), sort_keys=True).encode())
    for path in (
        ROOT / "playbooks" / "site.yml",
        ROOT / "lab" / "ansible" / "collections",
        site.path.parent / "group_vars",
        site.path.parent / "host_vars",
        folder / "secrets.json",
        folder / "pki" / "root.crt",
        folder / "pki" / "issuing.crt",
    ):
        shared.update(tree_digest(path).encode())
    roles = {role: tree_digest(ROOT / "roles" / role) for role in site.catalog}
    return {host: _host_digest(site, host, folder, roles, shared.hexdigest()) for host in site.hosts}


def _host_digest(site: Site, host: str, folder: Path, roles: Mapping[str, str], shared: str) -> str:
    own = hashlib.sha256(shared.encode())
    own.update(json.dumps(host_variables(site, host), sort_keys=True).encode())
    for role in site.hosts[host].roles:
        own.update(roles[role].encode())
    for name in site.certificates(host):
        own.update(tree_digest(folder / "pki" / "hosts" / host / f"{name}.crt").encode())
    return own.hexdigest()[:16]


def tree_digest(path: Path) -> str:
    """A digest of a file, or of every file below a folder; of nothing when there is neither."""
    found = hashlib.sha256()
    for file in [path] if path.is_file() else sorted(path.rglob("*")):
        if file.is_file() and not _SKIPPED.intersection(file.parts):
            found.update(f"{file.relative_to(path)}\0{file.stat().st_mode & 0o777:o}\0".encode())
            found.update(hashlib.sha256(file.read_bytes()).digest())
    return found.hexdigest()

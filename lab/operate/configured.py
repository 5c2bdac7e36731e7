"""Which hosts hold the configuration that the description, the roles and the certificates ask for now.

Kept beside the lab, not on its hosts: it is read and written without a round trip, and it is worthless without the
PKI that lies there too. An entry counts for one container only: a host whose container is replaced is configured again.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from lab.atomic_write import atomic_write
from lab.state_file import DamagedFileError, read_json

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


FILE = "configured.json"


class Configured:
    """The record of a lab: for each host its container and the digest of what it was configured from."""

    def __init__(self, folder: Path) -> None:
        """Read the record; one that is missing or damaged says that nothing is configured."""
        self._path = folder / FILE
        try:
            self._entries = read_json(self._path, dict[str, tuple[str, str]], remedy="'pacslab up' writes it again.")
        except (FileNotFoundError, DamagedFileError):
            self._entries = {}

    @property
    def any(self) -> bool:
        """Whether any host was ever configured."""
        return bool(self._entries)

    def knows(self, host: str, container: str) -> bool:
        """Whether this container of the host was configured at all."""
        return self._entries.get(host, ("", ""))[0] == container

    def holds(self, host: str, container: str, digest: str) -> bool:
        """Whether this container of the host was configured from the same."""
        return self._entries.get(host) == (container, digest)

    def follow(self, before: Mapping[str, str], after: Mapping[str, str]) -> None:
        """Enter new digests of hosts that held the former ones, and that have been brought what is new since."""
        held = {host: entry[0] for host, entry in self._entries.items() if entry[1] == before.get(host)}
        self.note({host: (container, after[host]) for host, container in held.items() if host in after})

    def note(self, entries: Mapping[str, tuple[str, str]]) -> None:
        """Enter hosts as (container, digest)."""
        self._entries.update(entries)
        atomic_write(self._path, json.dumps(self._entries, indent=1) + "\n")

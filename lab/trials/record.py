"""Which roles have passed their trial as they are now: a key of all that the trial is made of, for each role."""

from __future__ import annotations

import hashlib
import json
import subprocess
import time
from typing import TYPE_CHECKING

from lab.atomic_write import atomic_write
from lab.errors import UsageError
from lab.operate.inputs import tree_digest
from lab.settings import ROOT
from lab.state_file import DamagedFileError, read_json
from lab.trials.description import describe

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from lab.trials.description import Subject

FILE = "tried-roles.json"
SHARED = ("playbooks/role.yml", "lab/ansible", "lab/trials", "lab/verify/checks", "tests/hardening")
"""What every trial is made of besides roles: how they are put in place, and what judges them."""


def parts(subject: Subject) -> list[str]:
    """Files and folders, relative to the repository, that a role's trial is made of."""
    roles = {role for started in describe(subject).started.values() for role in started}
    catalog = subject.site.catalog
    sources = {source for role in roles for source in catalog[role].sources}
    return [*sorted(f"roles/{role}" for role in roles), *sorted(sources), *SHARED]


def key(subject: Subject, root: Path = ROOT) -> str:
    """A digest of all that a role's trial is made of, the description of its host included."""
    digest = hashlib.sha256(json.dumps(describe(subject).content, sort_keys=True).encode())
    for part in parts(subject):
        digest.update(f"{part}\0{tree_digest(root / part)}\0".encode())
    return digest.hexdigest()[:32]


class Tried:
    """The record of passed trials, ``.lab/tried-roles.json``: for each role the key with which it passed last."""

    def __init__(self, state: Path) -> None:
        """Read the record; one that is missing or damaged says that nothing was tried."""
        self._path = state / FILE
        try:
            self._roles = read_json(
                self._path, dict[str, dict[str, str]], remedy="'pacslab role --all' writes it again."
            )
        except (FileNotFoundError, DamagedFileError):
            self._roles = {}

    def holds(self, role: str, key: str) -> bool:
        """Whether the role passed as it is now."""
        return self._roles.get(role, {}).get("key") == key

    def note(self, role: str, key: str) -> None:
        """Enter a role that passed."""
        at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        self._roles[role] = {"key": key, "at": at}
        self._path.parent.mkdir(parents=True, exist_ok=True)
        atomic_write(self._path, json.dumps(self._roles, indent=1, sort_keys=True) + "\n")

    def forget(self, role: str) -> None:
        """Take out a role that failed, whatever it was before."""
        if self._roles.pop(role, None) is not None:
            atomic_write(self._path, json.dumps(self._roles, indent=1, sort_keys=True) + "\n")


def changed_since(base: str, subjects: Iterable[Subject], root: Path = ROOT) -> set[str]:
    """Roles of whose trial a part differs from a commit, files that git does not know included.

    Raises:
        UsageError: git knows no such commit.
    """
    different = _git(root, "diff", "--name-only", base, "--") | _git(root, "ls-files", "--others", "--exclude-standard")
    return {
        subject.role
        for subject in subjects
        if any(path == part or path.startswith(f"{part}/") for path in different for part in parts(subject))
    }


def _git(root: Path, *words: str) -> set[str]:
    argv = ["git", "-C", str(root), *words]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode:
        raise UsageError(
            f"'{' '.join(argv)}' failed: {done.stderr.strip()}", remedy="Name a commit that this repository has."
        )
    return set(done.stdout.splitlines())

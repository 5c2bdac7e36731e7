"""Which files a role's image is made of: a change in any of them, and in nothing else, makes a new image."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

from lab.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

INSTALL = "tasks/install.yml"
ALWAYS = (INSTALL, "tasks/install", "files", "defaults", "vars")
"""What ``install.yml`` may use without being asked: its own tasks, plain files, and variables."""

_TEMPLATE = re.compile(rb"[\w./-]+\.j2\b")
_IGNORED = {"__pycache__", ".mypy_cache", ".ruff_cache", ".pytest_cache"}


def installs(role: Path) -> bool:
    """Whether the role puts anything into an image; one that only configures shares its parent's."""
    return (role / INSTALL).is_file()


def image_files(role: Path, root: Path, sources: Sequence[str]) -> list[Path]:
    """Files that the role's image is made of, sorted.

    Args:
        role: the role's folder.
        root: the repository, which ``sources`` are relative to.
        sources: files and folders outside the role (``sources`` of ``meta/pacslab.yml``).

    Templates count only when ``install.yml``, or a template that counts, names them; so a change to what is
    configured later leaves images alone.

    Raises:
        UsageError: a source does not exist.
    """
    found = {path for part in ALWAYS for path in _walk(role / part)}
    found |= _templates(role, found)
    for source in sources:
        if not (root / source).exists():
            raise UsageError(
                f"Role {role.name} is made of {source}, which does not exist.",
                remedy=f"Correct 'sources' in {role.name}/meta/pacslab.yml.",
            )
        found.update(_walk(root / source))
    return sorted(found)


def digest(paths: Sequence[Path], root: Path) -> str:
    """A hash over names, contents and executable bits, independent of where the repository stands."""
    total = hashlib.sha256()
    for path in paths:
        runs = "x" if path.stat().st_mode & 0o100 else "-"
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        total.update(f"{path.relative_to(root)} {runs} {content}\n".encode())
    return total.hexdigest()


def _templates(role: Path, tasks: set[Path]) -> set[Path]:
    """Templates of the role that its install tasks name, directly or through another template."""
    found: set[Path] = set()
    unread = [path for path in tasks if path.is_relative_to(role / "tasks")]
    while unread:
        names = {name.decode() for name in _TEMPLATE.findall(unread.pop().read_bytes())}
        fresh = {path for path in (role / "templates" / name for name in names) if path.is_file()} - found
        found |= fresh
        unread.extend(fresh)
    return found


def _walk(path: Path) -> Iterator[Path]:
    if path.is_file():
        yield path
    elif path.is_dir():
        for below in path.rglob("*"):
            if below.is_file() and not _IGNORED.intersection(below.parts):
                yield below

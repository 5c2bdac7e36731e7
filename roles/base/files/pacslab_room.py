"""Whether a folder of this host can be written, and has the room that the site's description asks for."""

from __future__ import annotations

import errno
import os
import tempfile
from pathlib import Path

MEGABYTE = 1 << 20
BLOCK = b"\0" * 4096
NAMELESS = os.O_TMPFILE | os.O_WRONLY | os.O_CLOEXEC


def lacks(folder: str, wanted: dict[str, int]) -> str:
    """What a folder lacks, or nothing; ``wanted`` is ``{"megabytes", "percent", "inodes_percent"}``."""
    try:
        facts = os.statvfs(folder)
        free, needed = facts.f_bavail * facts.f_frsize, needed_octets(facts, wanted)
        if free < needed:
            size = facts.f_blocks * facts.f_frsize
            return f"{folder}: {_megabytes(free)} MB of {_megabytes(size)} MB are free, {_megabytes(needed)} are needed"
        if facts.f_files and facts.f_favail * 100 < facts.f_files * wanted["inodes_percent"]:
            return f"{folder}: {facts.f_favail} of {facts.f_files} inodes are free"
        write_in(folder)
    except OSError as error:
        return f"{folder} cannot be written: {error.strerror or error}"
    return ""


def needed_octets(facts: os.statvfs_result, wanted: dict[str, int]) -> int:
    """The room that is needed: the megabytes, or of a file system that is small, the percent."""
    return min(wanted["megabytes"] * MEGABYTE, facts.f_blocks * facts.f_frsize * wanted["percent"] // 100)


def write_in(folder: str) -> None:
    """Write a block into a file of the folder, which is gone afterwards.

    Raises:
        OSError: that is not possible.
    """
    try:
        handle = os.open(folder, NAMELESS, 0o600)
    except OSError as error:
        if error.errno not in {errno.EOPNOTSUPP, errno.EISDIR}:  # a file system without files that have no name
            raise
        handle, name = tempfile.mkstemp(prefix=".pacslab-", dir=folder)
        Path(name).unlink()
    try:
        if os.write(handle, BLOCK) < len(BLOCK):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    finally:
        os.close(handle)


def _megabytes(octets: int) -> str:
    return f"{octets / MEGABYTE:.0f}" if octets >= 10 * MEGABYTE else f"{octets / MEGABYTE:.1f}"

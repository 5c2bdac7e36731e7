"""Replace files together where they differ from what they must be; when they are not valid the former ones return."""

from __future__ import annotations

import errno
import grp
import hashlib
import os
import pwd
import re
import stat
from pathlib import Path
from typing import Any, NamedTuple

from ansible_collections.pacslab.lab.plugins.module_utils.command import ConfigureError, run


class RestoredError(ConfigureError):
    """Validation failed and every file is as it was before."""


class Entry(NamedTuple):
    """What stands at a path: a regular file, a symbolic link (``link``), or nothing (both ``None``)."""

    content: bytes | None = None
    mode: int = 0
    uid: int = 0
    gid: int = 0
    link: str | None = None

    @property
    def exists(self) -> bool:
        """Whether anything is there."""
        return self.content is not None or self.link is not None


class File(NamedTuple):
    """One file as it must be."""

    dest: str
    entry: Entry
    secret: bool


class Change(NamedTuple):
    """One path that differs from what it must be."""

    path: str
    before: Entry
    after: Entry
    secret: bool

    def shown(self) -> dict[str, str]:
        """The difference as ``--diff`` prints it."""
        return {
            "before_header": _header(self.path, self.before),
            "after_header": _header(self.path, self.after),
            "before": _text(self.before, secret=self.secret),
            "after": _text(self.after, secret=self.secret),
        }


ANNOUNCED = Path("/var/lib/pacslab-integrity/changed")
"""Where what changes is announced: ``sha256 mode uid gid path`` a line, ``-`` for what is removed."""
MOST_ANNOUNCED = 1 << 20
NOBODY_YET = -1
"""In check mode: the id of a user or group that is not there, and so owns no file."""


def wanted_file(asked: dict[str, Any], content: bytes, *, check: bool = False) -> File:
    """Check one entry of the task and look its owner up on this host.

    In check mode an owner may be missing, since what would create it has not run: the file then counts as different.

    Raises:
        ConfigureError: the entry is wrong, or its owner does not exist.
    """
    dest = asked["dest"]
    if not dest.startswith("/"):
        raise ConfigureError(f"dest {dest!r} is not an absolute path")
    if not re.fullmatch(r"[0-7]{3,4}", asked["mode"]):
        raise ConfigureError(f"{dest}: mode {asked['mode']!r} is not an octal string such as '0640'")
    uid = gid = NOBODY_YET
    try:
        uid = pwd.getpwnam(asked["owner"]).pw_uid
        gid = grp.getgrnam(asked["group"]).gr_gid
    except KeyError as error:
        if not check:
            raise ConfigureError(f"{dest}: {error.args[0]}; the role's install.yml must create it") from error
    return File(dest, Entry(content, int(asked["mode"], 8), uid, gid), asked["secret"])


def plan(wanted: list[File], remove: list[str]) -> list[Change]:
    """Which paths have to change."""
    changes = []
    paths = [file.dest for file in wanted] + remove
    twice = {path for path in paths if paths.count(path) > 1}
    if twice:
        raise ConfigureError(f"named more than once in one task: {', '.join(sorted(twice))}")
    for file in wanted:
        before = read(file.dest)
        if before != file.entry:
            changes.append(Change(file.dest, before, file.entry, file.secret))
    for path in remove:
        before = read(path)
        if before.exists:
            changes.append(Change(path, before, Entry(), secret=False))
    return changes


def strays(folders: list[str], wanted: set[str]) -> list[str]:
    """Files below these folders that nobody wants; compiled Python is made on the host and stays."""
    found = (str(path) for folder in folders for path in sorted(Path(folder).rglob("*")) if not path.is_dir())
    return [path for path in found if path not in wanted and not path.endswith(".pyc")]


def announce(changes: list[Change]) -> None:
    """Note what will stand at each path, for what watches the host's files (role file_integrity), where that is."""
    if not ANNOUNCED.parent.is_dir():
        return
    if ANNOUNCED.exists() and ANNOUNCED.stat().st_size > MOST_ANNOUNCED:
        old = ANNOUNCED.read_bytes()[-MOST_ANNOUNCED // 2 :]
        ANNOUNCED.write_bytes(old[old.find(b"\n") + 1 :])
    handle = os.open(ANNOUNCED, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "a", encoding="utf-8") as file:
        file.writelines(f"{_announced(change.after)} {change.path}\n" for change in changes)


def _announced(entry: Entry) -> str:
    if entry.content is None:
        return "- - - -"
    return f"{hashlib.sha256(entry.content).hexdigest()} {entry.mode:04o} {entry.uid} {entry.gid}"


def apply(changes: list[Change], commands: list[list[str]]) -> None:
    """Make all changes, then validate them.

    Raises:
        RestoredError: a file could not be written or a command failed; what stood before is back.
    """
    done: list[Change] = []
    try:
        for change in changes:
            done.append(change)
            put(change.path, change.after)
        validate(commands)
    except (ConfigureError, OSError) as error:
        for change in reversed(done):
            put(change.path, change.before)
        raise RestoredError(f"{error} (the former files are back)") from error


def validate(commands: list[list[str]]) -> None:
    """Run commands that must end with 0 with the files in place."""
    for argv in commands:
        run(argv)


def read(path: str) -> Entry:
    """Read what stands at a path."""
    try:
        info = os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return Entry()
    if stat.S_ISLNK(info.st_mode):
        return Entry(link=str(Path(path).readlink()))
    if not stat.S_ISREG(info.st_mode):
        raise ConfigureError(f"{path} is there and is not a file")
    return Entry(Path(path).read_bytes(), stat.S_IMODE(info.st_mode), info.st_uid, info.st_gid)


def put(path: str, entry: Entry) -> None:
    """Replace what stands at a path atomically; a mount point, which cannot be renamed over, is written in place."""
    target = Path(path)
    if not entry.exists:
        target.unlink(missing_ok=True)
        return
    target.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    fresh = target.with_name(f".{target.name}.pacslab-new")  # no folder of fragments is read for names of this form
    fresh.unlink(missing_ok=True)
    if entry.link is not None:
        fresh.symlink_to(entry.link)
    else:
        _write(fresh, entry)
    try:
        fresh.replace(target)
    except OSError as error:
        if error.errno != errno.EBUSY or entry.content is None:
            raise
        target.write_bytes(entry.content)
        os.chown(target, entry.uid, entry.gid)
        target.chmod(entry.mode)
        fresh.unlink()


def _write(path: Path, entry: Entry) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(entry.content or b"")
        os.fchown(descriptor, entry.uid, entry.gid)
        os.fchmod(descriptor, entry.mode)


def _header(path: str, entry: Entry) -> str:
    if not entry.exists:
        return f"{path} (absent)"
    if entry.link is not None:
        return f"{path} -> {entry.link}"
    return f"{path} {entry.mode:04o} {entry.uid}:{entry.gid}"


def _text(entry: Entry, *, secret: bool) -> str:
    if entry.content is None:
        return ""
    if secret:
        return "(secret)\n"
    try:
        return entry.content.decode("utf-8")
    except UnicodeDecodeError:
        return f"(binary, {len(entry.content)} bytes)\n"

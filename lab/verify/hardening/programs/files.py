"""Walks over the file systems of a host that can hold programs, and prints what is odd about them as JSON."""

from __future__ import annotations

import json
import os
import stat
import sys

ROOTS = ("/", "/run", "/tmp", "/dev/shm")  # noqa: S108 # they are looked into, not used
NAMES = {"authorized_keys", "authorized_keys2", ".rhosts", ".shosts", ".netrc", ".pgpass", ".forward", "hosts.equiv"}
"""Files that let somebody in, or hold a password."""
SET_ID = stat.S_ISUID | stat.S_ISGID


class Walk:
    """What was found so far."""

    def __init__(self) -> None:
        """Nothing yet."""
        self.odd: list[list[object]] = []
        self.capable: list[str] = []
        self.keys: list[str] = []
        self.owners: set[int] = set()
        self.groups: set[int] = set()
        self.number = 0

    def tree(self, root: str) -> None:
        """Look at everything of one file system."""
        try:
            device = os.lstat(root).st_dev
        except OSError:
            return
        todo = [root]
        while todo:
            try:
                with os.scandir(todo.pop()) as entries:
                    todo += [entry.path for entry in entries if self.look(entry, device)]
            except OSError:
                continue  # it went away, as folders of temporary files do

    def look(self, entry: os.DirEntry[str], device: int) -> bool:
        """Note what is odd about an entry; True for a folder that is to be looked into."""
        try:
            found = entry.stat(follow_symlinks=False)
        except OSError:
            return False
        if found.st_dev != device:
            return False
        self.number += 1
        self.owners.add(found.st_uid)
        self.groups.add(found.st_gid)
        mode = found.st_mode
        if stat.S_ISLNK(mode):
            return False
        if mode & SET_ID or (mode & stat.S_IWOTH and not stat.S_ISSOCK(mode)) or entry.name in NAMES:
            kind = "d" if stat.S_ISDIR(mode) else "f" if stat.S_ISREG(mode) else "o"
            self.odd.append([stat.S_IMODE(mode), found.st_uid, found.st_gid, kind, entry.path])
        if stat.S_ISREG(mode):
            self.look_into(entry.path, mode)
        return stat.S_ISDIR(mode)

    def look_into(self, path: str, mode: int) -> None:
        """Note a file that is named as private keys are, or has capabilities."""
        if path.endswith(".key") and not path.startswith("/usr/"):
            self.keys.append(path)
        if mode & 0o111:
            try:
                if "security.capability" in os.listxattr(path, follow_symlinks=False):
                    self.capable.append(path)
            except OSError:
                return


if __name__ == "__main__":
    walk = Walk()
    for root in ROOTS:
        walk.tree(root)
    json.dump({**vars(walk), "owners": sorted(walk.owners), "groups": sorted(walk.groups)}, sys.stdout)

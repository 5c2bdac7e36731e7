"""Files that are replaced in one step: a reader sees the old content or the new one, never a part."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def atomic_write(path: Path, content: str | bytes, *, mode: int = 0o644, durable: bool = False) -> None:
    """Write a draft beside the file and rename it; its folder must exist.

    Args:
        path: the file, which need not exist.
        content: text is written as UTF-8.
        mode: permissions that the file has from its first byte on, less what the umask forbids.
        durable: wait until the content has reached the disk before it takes the file's name.
    """
    data = content.encode() if isinstance(content, str) else content
    draft = path.with_name(f".{path.name}.new")
    draft.unlink(missing_ok=True)  # of a process that was killed; it may have other permissions
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        if durable:
            os.fsync(file.fileno())
    draft.replace(path)

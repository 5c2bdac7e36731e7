"""Sabotages of common kinds: a file edited or opened, a unit's setting weakened, a socket that should not be there."""

from __future__ import annotations

import io
import tarfile
from typing import TYPE_CHECKING, Any

from lab.verify.hardening.declare import Sabotage

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lab.verify.hardening.declare import Target

KEPT = "/run/pacslab-sabotage"
"""Where a file is kept while a sabotage has changed it."""


def changed_file(
    path: str | Callable[[Target], str], edit: str, *, then: str = "true", also: Sequence[str] = (), **rest: Any
) -> Sabotage:
    """A sabotage that edits a file and puts it back as it was, with owner and mode.

    ``edit`` is a shell script that finds the path in ``$FILE``; ``then`` makes the change count, and the undoing too.
    """

    def where(target: Target) -> str:
        return path if isinstance(path, str) else path(target)

    def apply(target: Target) -> str:
        return f"set -e; FILE='{where(target)}'; mkdir -p {KEPT}; cp -a \"$FILE\" {KEPT}/file; {edit}\n{then}"

    def undo(target: Target) -> str:
        return f'FILE=\'{where(target)}\'; rm -rf "$FILE"; mv {KEPT}/file "$FILE"; {then}'

    return Sabotage(apply, undo, also, **rest)


def changed_mode(path: str | Callable[[Target], str], mode: str, *, also: Sequence[str] = (), **rest: Any) -> Sabotage:
    """A sabotage that opens a file or folder to others, and closes it again."""

    def where(target: Target) -> str:
        return path if isinstance(path, str) else path(target)

    return Sabotage(
        lambda target: f"mkdir -p {KEPT}; stat -c %a '{where(target)}' >{KEPT}/mode; chmod {mode} '{where(target)}'",
        lambda target: f"chmod $(cat {KEPT}/mode) '{where(target)}'",
        also,
        **rest,
    )


def drop_in(
    unit: str | Callable[[Target], str], *settings: str, restart: bool = True, also: Sequence[str] = (), **rest: Any
) -> Sabotage:
    """A sabotage that gives a unit weaker settings, as an administrator in a hurry would, and restarts it."""

    def name(target: Target) -> str:
        return unit if isinstance(unit, str) else unit(target)

    def reload(target: Target) -> str:
        return "systemctl daemon-reload" + (f" && systemctl restart {name(target)}" if restart else "")

    def apply(target: Target) -> str:
        folder = f"/run/systemd/system/{name(target)}.d"
        lines = " ".join(f"'{line}'" for line in ("[Service]", *settings))
        return f"mkdir -p {folder} && printf '%s\\n' {lines} >{folder}/zz-sabotage.conf && {reload(target)}"

    return Sabotage(
        apply, lambda target: f"rm -rf /run/systemd/system/{name(target)}.d; {reload(target)}", also, **rest
    )


def capable_program(path: str, capabilities: bytes) -> bytes:
    """A tar archive with a program that has capabilities of its own (``security.capability``, capabilities(7))."""
    program = b"#!/bin/true\n"
    entry = tarfile.TarInfo(path.lstrip("/"))
    entry.size, entry.mode = len(program), 0o755
    entry.pax_headers = {"SCHILY.xattr.security.capability": capabilities.decode("latin-1")}
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w", format=tarfile.PAX_FORMAT) as tar:
        tar.addfile(entry, io.BytesIO(program))
    return archive.getvalue()


def awaited(address: str, port: int) -> str:
    """A script that ends when a TCP port listens, and with 1 when it does not within ten seconds."""
    return f"for n in $(seq 100); do ss -Htln | grep -qF '{address}:{port} ' && exit 0; sleep 0.1; done; exit 1"


def listener(address: str, port: int) -> str:
    """A script that starts a unit ``sabotage`` which listens, and waits until it does."""
    program = f'import socket,time; s=socket.create_server(("{address}",{port})); time.sleep(600)'
    return f"systemd-run --quiet --collect --unit=sabotage python3 -c '{program}' && {awaited(address, port)}"


STOPPED = "systemctl stop sabotage.service"
"""Ends what :func:`listener` started."""

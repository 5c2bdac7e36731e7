"""The sealed envelope: what lets somebody in to hosts while the sign-on is down, and a record of each opening.

What is sealed is the principal that hosts take for the account ``emergency``: 128 bits that change with each seal, so
that a certificate of an envelope that was opened lets nobody in once it is sealed again. The record is a chain (each
entry has the SHA-256 of the one before it), and one that seals holds the SHA-256 of the principal: an opening cannot
be taken out of it, nor another envelope put in place, without that being seen.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING

from lab.errors import UsageError
from lab.state_file import DamagedFileError, Moment, parse_json, read_bytes, read_text
from lab.trust.files import TrustError, locked, write_private

if TYPE_CHECKING:
    from pathlib import Path

PRINCIPAL, RECORD = "ssh-emergency", "ssh-emergency.jsonl"
"""What hosts get, and the record; both beside the authorities of SSH."""
ACCOUNT = "emergency"
"""As whom hosts let in who has opened the envelope (role ssh_server makes it)."""
NOBODY = "# Nobody comes in by an envelope: administrators do not sign in at this site.\n"
FIRST = "0" * 64
"""What the first entry has in place of the one before it."""
LONGEST_WORDS = 100
"""Characters of a reason, which stands in the host's log behind who opened."""
_KEEP = (
    "Nobody knows any more whether it was opened. Look into it, then remove both files: 'pacslab up' seals a new one."
)


@dataclass(frozen=True)
class Entry:
    """Something that was done with the envelope.

    Attributes:
        what: ``sealed`` or ``opened``.
        at: When, in seconds since 1970.
        by: The account of the machine that did it.
        reason: Why it was opened; empty of one that seals.
        host: Which host was to be reached; empty where it was any.
        seal: SHA-256 of the principal that it is about.
        before: SHA-256 of the entry before it, as it stands in the file.
    """

    what: str
    at: Moment
    by: str
    reason: str
    host: str
    seal: str
    before: str

    def line(self) -> bytes:
        """As it stands in the file."""
        return json.dumps(asdict(self), sort_keys=True).encode() + b"\n"


def ensure_sealed(pki: Path, *, used: bool, now: datetime) -> None:
    """Seal an envelope where there is none; without use for one, hosts get a file that lets nobody in."""
    if used and not (pki / RECORD).exists():
        _seal(pki, "pacslab", now, [])
    elif not (pki / PRINCIPAL).exists():
        write_private(pki / PRINCIPAL, NOBODY.encode())


def record(pki: Path) -> list[Entry]:
    """What was done with the envelope, from the first seal on; the chain holds.

    Raises:
        TrustError: the lab has no envelope.
        DamagedFileError: an entry was changed, added or taken out, or the envelope is not the one that was sealed last.
    """
    path = pki / RECORD
    try:
        lines = read_bytes(path, remedy=_KEEP).splitlines(keepends=True)
        principal = read_text(pki / PRINCIPAL, remedy=_KEEP).strip()
    except FileNotFoundError:
        raise TrustError(
            f"{pki.parent.name} has no sealed envelope.",
            remedy="A lab has one where its administrators sign in (docs/ssh.md); 'pacslab up' makes it.",
        ) from None
    found: list[Entry] = []
    before = FIRST
    for line in lines:
        entry = parse_json(path, line, Entry, remedy=_KEEP)
        if entry.before != before or entry.line() != line:
            raise DamagedFileError(path, f"entry {len(found) + 1} does not follow the one before it", remedy=_KEEP)
        before = _digest(line)
        found.append(entry)
    if not found or _digest(principal.encode()) != found[-1].seal:
        raise DamagedFileError(path, f"{PRINCIPAL} is not what was sealed last", remedy=_KEEP)
    return found


def is_open(entries: list[Entry]) -> bool:
    """Whether it was opened and not sealed again since."""
    return entries[-1].what == "opened"


def open_envelope(pki: Path, by: str, reason: str, host: str, now: datetime | None = None) -> str:
    """Note who opens it and why, then return the principal that is in it.

    Raises:
        UsageError: no reason is given, or it cannot stand in a log.
        TrustError: the lab has no envelope.
        DamagedFileError: the record is not what was written.
    """
    if not reason.strip() or len(reason) > LONGEST_WORDS or not reason.isprintable():
        raise UsageError(
            f"{reason[:LONGEST_WORDS]!r} is no reason to open the envelope.",
            remedy=f"Say why in up to {LONGEST_WORDS} characters, on one line; it stands in the host's log.",
        )
    with locked(pki):
        entries = record(pki)
        moment = (now or datetime.now(UTC)).timestamp()
        _note(pki, [*entries, Entry("opened", moment, by, reason, host, entries[-1].seal, _digest(entries[-1].line()))])
        return read_text(pki / PRINCIPAL, remedy=_KEEP).strip()


def seal_envelope(pki: Path, by: str, now: datetime | None = None) -> Entry:
    """Put a new principal into it, and note that; hosts take the former one until they have this.

    Raises:
        TrustError: the lab has no envelope.
        DamagedFileError: the record is not what was written.
    """
    with locked(pki):
        return _seal(pki, by, now or datetime.now(UTC), record(pki))


def _seal(pki: Path, by: str, now: datetime, entries: list[Entry]) -> Entry:
    principal = f"{ACCOUNT}-{secrets.token_hex(16)}"
    before = _digest(entries[-1].line()) if entries else FIRST
    entry = Entry("sealed", now.timestamp(), by, "", "", _digest(principal.encode()), before)
    write_private(pki / PRINCIPAL, principal.encode() + b"\n")
    _note(pki, [*entries, entry])
    return entry


def _note(pki: Path, entries: list[Entry]) -> None:
    write_private(pki / RECORD, b"".join(entry.line() for entry in entries))


def _digest(text: bytes) -> str:
    return sha256(text).hexdigest()

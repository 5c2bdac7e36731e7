"""What ``pacslab ssh`` keeps: the certificates that it has given, and what was done with the sealed envelope."""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lab.engine.lab import Lab
    from lab.trust.ssh import Issued


def show_certificates(lab: Lab, *, as_json: bool) -> int:
    """Print the certificates that were given lately."""
    from lab.trust.ssh import issued  # noqa: PLC0415 # --help needs no cryptography
    from lab.trust.store import pki_folder  # noqa: PLC0415

    found = issued(pki_folder(lab.folder))
    if as_json:
        print(json.dumps([asdict(entry) for entry in found]))
        return 0
    rows = [("SERIAL", "STATE", "GIVEN", "UNTIL", "PRINCIPALS", "PERSON", "REASON")]
    rows += [
        (
            str(entry.serial),
            _state(entry),
            clock(entry.at),
            clock(entry.until),
            ",".join(entry.principals),
            entry.person,
            entry.reason,
        )
        for entry in found
    ]
    _table(rows)
    return 0


def show_envelope(lab: Lab, *, as_json: bool) -> int:
    """Print what was done with the envelope, whose record is held against its chain first.

    Raises:
        TrustError: the lab has none.
        DamagedFileError: the record was changed.
    """
    from lab.trust.envelope import is_open, record  # noqa: PLC0415 # --help needs no cryptography
    from lab.trust.store import pki_folder  # noqa: PLC0415

    found = record(pki_folder(lab.folder))
    if as_json:
        print(json.dumps({"open": is_open(found), "record": [asdict(entry) for entry in found]}))
        return 0
    rows = [("WHEN", "WHAT", "BY", "HOST", "REASON")]
    _table([*rows, *((clock(entry.at), entry.what, entry.by, entry.host, entry.reason) for entry in found)])
    print("It is open: 'pacslab ssh --reseal' seals it again." if is_open(found) else "It is sealed.")
    return 0


def clock(moment: float) -> str:
    """A moment, in UTC."""
    return f"{datetime.fromtimestamp(moment, UTC):%Y-%m-%d %H:%M:%SZ}"


def _state(entry: Issued) -> str:
    if entry.revoked is not None:
        return "revoked"
    return "good" if entry.until > time.time() else "expired"


def _table(rows: Sequence[Sequence[str]]) -> None:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())

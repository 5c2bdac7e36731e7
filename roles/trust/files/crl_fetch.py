#!/usr/bin/python3 -I
"""Fetch the site's revocation lists, and reload what trusts by them when they have changed.

What to do stands in /etc/pacslab/crl.json: ``{"url": where crl.pem is served, or null, "reload": [units]}``.
Lists are taken only when one of our CAs signed each, nothing else is in the file, and none is older than the one at
hand, so that neither a stale copy nor a forged one can bring a revoked certificate back (RFC 5280 5.2.3). What is
written is encoded here. HTTP suffices: lists are signed. `crl-unchanged` asks first whether this has to run at all.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

sys.path.insert(0, str(Path(__file__).parent))
from pacslab_event import write_event
from pacslab_lists import RefusedError, RevocationList, encode, read_lists

if TYPE_CHECKING:
    from collections.abc import Sequence

SETTINGS = Path("/etc/pacslab/crl.json")
TLS = Path("/etc/pacslab/tls")
LISTS, AUTHORITIES = TLS / "crl.pem", TLS / "ca.crt"
SEEN = Path("/var/lib/pacslab-crl/seen")
"""Where the lists at hand came from, their ETag, and when the first of them ends: what `crl-unchanged` asks by."""
UNREAD = Path("/run/pacslab/crl-unread")
"""There from before new lists are in place until the units that trust by them have been told."""
STALE = Path("/run/pacslab/crl-stale")
"""There while the lists at hand have run out; says so in words. Servers then refuse every certificate."""
SIZE_LIMIT = 4 * 1024 * 1024
FETCH_LIMIT = 10.0  # seconds
ETAG = re.compile(r'(W/)?"[\x21\x23-\x7e]{1,64}"')  # RFC 9110 8.8.3, without obs-text


class NoRedirect(urllib.request.HTTPRedirectHandler):
    """Lists come from where the site says, and from nowhere else."""

    def redirect_request(self, *_arguments: Any, **_options: Any) -> None:
        """Follow nothing."""


def check_newer(fetched: Sequence[RevocationList], held: Sequence[RevocationList]) -> None:
    """Refuse what would take a list away or turn one back.

    Raises:
        RefusedError: so.
    """
    numbers = {entry.issuer: entry.number for entry in fetched}
    for entry in held:
        if entry.issuer not in numbers:
            raise RefusedError("older-list", f"the list of {entry.issuer} is missing")
        if numbers[entry.issuer] < entry.number:
            raise RefusedError(
                "older-list",
                f"the list of {entry.issuer} is older ({numbers[entry.issuer]}) than the one at hand ({entry.number})",
            )
    for entry in fetched:
        if entry.end <= time.time():
            raise RefusedError("expired-list", f"the list of {entry.issuer} has run out")


def fetch(url: str) -> tuple[bytes, str]:
    """Get the file of all lists, and its ETag (empty where it has none that can be asked for)."""
    opener = urllib.request.build_opener(NoRedirect)
    with opener.open(url, timeout=FETCH_LIMIT) as answer:
        text = answer.read(SIZE_LIMIT + 1)
        etag = answer.headers["ETag"] or ""
    if len(text) > SIZE_LIMIT:
        raise RefusedError("oversized-list", f"{url} is larger than {SIZE_LIMIT} octets")
    return text, etag if ETAG.fullmatch(etag) else ""


def replace(lists: Sequence[RevocationList]) -> None:
    """Put new lists in place in one step."""
    draft = LISTS.with_name(".crl.pem.new")
    draft.write_bytes(encode(lists))
    draft.chmod(0o644)
    draft.replace(LISTS)


def reload_units(units: list[str]) -> None:
    """Have the units that run read the lists again; those that cannot reload are restarted.

    So are those that are just starting: they may have read the former lists, and systemd drops the reload of such a
    unit without a word.
    """
    starting = [unit for unit in units if state(unit) == "activating"]
    running = [unit for unit in units if unit not in starting]
    if starting:
        systemctl("--no-block", "try-restart", "--", *starting)
    if running:
        systemctl("--no-block", "try-reload-or-restart", "--", *running)


def state(unit: str) -> str:
    """Return a unit's state: active, activating, inactive and so on."""
    return systemctl("show", "--property=ActiveState", "--value", "--", unit)


def systemctl(*arguments: str) -> str:
    """Return what systemctl says."""
    done = subprocess.run(["systemctl", *arguments], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def note_staleness(held: Sequence[RevocationList]) -> None:
    """Leave word for the health probe when a list has run out."""
    ended = [entry.issuer for entry in held if entry.end <= time.time()]
    if ended:
        STALE.write_text(f"the revocation list of {', '.join(ended)} has run out\n")
    else:
        STALE.unlink(missing_ok=True)


def remember(published: str, etag: str, held: Sequence[RevocationList]) -> None:
    """Leave word for `crl-unchanged`: the lists at hand are good, and are what is published where anything is."""
    end = int(min((entry.end for entry in held), default=0))
    SEEN.write_text(f"{published}\n{etag}\n{end}\n")


def bring_up_to_date(url: str, units: list[str]) -> None:
    """Take what is published, if it is newer than what is at hand.

    Raises:
        RefusedError: what is published must not be used.
        OSError: the publisher did not answer.
        CalledProcessError: systemd did not take the order to reload; the next run gives it again.
    """
    authorities = AUTHORITIES.read_bytes()
    before = LISTS.read_bytes()
    text, etag = fetch(url)
    lists = read_lists(text, authorities)
    if text != before or UNREAD.exists():
        check_newer(lists, at_hand(before, authorities))
        UNREAD.touch()
        replace(lists)
        reload_units(units)
        UNREAD.unlink()
        write_event("fetch-lists", lists=len(lists), units=units)
    if etag:
        where = urlsplit(url)
        remember(f"{where.hostname} {where.port or 80} {where.path}", etag, lists)


def at_hand(text: bytes, authorities: bytes) -> list[RevocationList]:
    """Return the lists that the host holds; none, said so, when its file was spoilt: what is published replaces it."""
    try:
        return read_lists(text, authorities)
    except RefusedError as error:
        write_event("fetch-lists", "refused", error.reason, error="RefusedError", detail=f"{LISTS}: {error}")
        return []


def main() -> int:
    """Fetch once."""
    settings = json.loads(SETTINGS.read_text("utf-8"))
    SEEN.unlink(missing_ok=True)
    code = 0
    try:
        if settings["url"]:
            bring_up_to_date(settings["url"], settings["reload"])
    except RefusedError as error:
        write_event("fetch-lists", "refused", error.reason, error="RefusedError", detail=str(error))
        code = 1
    except (urllib.error.URLError, OSError) as error:
        write_event("fetch-lists", "failed", "unreachable", error=type(error).__name__, detail=settings["url"])
        code = 1
    except subprocess.CalledProcessError as error:
        detail = error.stderr.strip()
        write_event("fetch-lists", "failed", "not-ready", error=type(error).__name__, detail=detail)
        code = 1
    held = at_hand(LISTS.read_bytes(), AUTHORITIES.read_bytes())
    note_staleness(held)
    if not settings["url"]:
        remember("", "", held)
    return code


if __name__ == "__main__":
    os.umask(0o022)
    sys.exit(main())

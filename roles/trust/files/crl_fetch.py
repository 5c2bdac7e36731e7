#!/usr/bin/python3 -IS
"""Fetch the site's revocation lists, and reload what trusts by them when they have changed.

What to do stands in /etc/pacslab/crl.json: ``{"url": where crl.pem is served, or null, "reload": [units]}``.
A list is taken only when the issuing CA's key signed it and it is newer than the one at hand, so that neither a stale
copy nor a forged one can bring a revoked certificate back (RFC 5280 5.2.3). HTTP suffices: the list is signed.
"""

from __future__ import annotations

import calendar
import hashlib
import json
import os
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from tempfile import TemporaryDirectory

sys.path.insert(0, str(Path(__file__).parent))
from pacslab_event import write_event

SETTINGS = Path("/etc/pacslab/crl.json")
TLS = Path("/etc/pacslab/tls")
LISTS, AUTHORITIES = TLS / "crl.pem", TLS / "ca.crt"
KNOWN = Path("/run/pacslab/crl-known.json")
"""What the lists at hand say, with the digest of their file, so that OpenSSL reads them once and not every minute."""
STALE = Path("/run/pacslab/crl-stale")
"""There while the lists at hand have run out; says so in words. Servers then refuse every certificate."""
SIZE_LIMIT = 4 * 1024 * 1024
FETCH_LIMIT = 10.0  # seconds
SHOWN = ("-issuer", "-crlnumber", "-nextupdate", "-dateopt", "iso_8601")
BLOCK = re.compile(rb"-----BEGIN X509 CRL-----.+?-----END X509 CRL-----\n?", re.DOTALL)


class RefusedError(Exception):
    """What was fetched must not be used; ``reason`` is the word for it in an event."""

    def __init__(self, reason: str, message: str) -> None:
        """Say why; the message quotes nothing of what was fetched."""
        super().__init__(message)
        self.reason = reason


def facts(block: bytes) -> tuple[str, int, float]:
    """Return issuer, number and end (epoch seconds) of one list whose signature holds.

    Raises:
        RefusedError: no CA of ours signed it, or it lacks what RFC 5280 5.1 and 5.2 demand.
    """
    with TemporaryDirectory() as folder:
        path = Path(folder, "crl.pem")
        path.write_bytes(block)
        done = subprocess.run(
            ["openssl", "crl", "-in", path, "-noout", "-CAfile", AUTHORITIES, *SHOWN],
            capture_output=True,
            text=True,
            check=False,
        )
    # openssl-crl says on stderr whether the signature holds; in some releases its exit code does not.
    if done.returncode != 0 or "verify OK" not in done.stderr:
        raise RefusedError("not-signed", f"a list is not signed by a CA of {AUTHORITIES}")
    said = dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)
    try:
        end = calendar.timegm(time.strptime(said["nextUpdate"], "%Y-%m-%d %H:%M:%SZ"))
        return said["issuer"], int(said["crlNumber"], 16), end
    except (KeyError, ValueError) as error:
        raise RefusedError("not-signed", "a list lacks issuer, number or end") from error


def read(text: bytes) -> dict[str, tuple[int, float]]:
    """Return number and end of every list in a file, by issuer."""
    found = {}
    for block in BLOCK.findall(text):
        issuer, number, end = facts(block)
        found[issuer] = (number, end)
    return found


def known(text: bytes) -> dict[str, tuple[int, float]]:
    """Return what `read` does for the lists at hand, from memory if they are still the same."""
    digest = hashlib.sha256(text).hexdigest()
    try:
        memory = json.loads(KNOWN.read_text("utf-8"))
    except (FileNotFoundError, ValueError):
        memory = {}
    if memory.get("sha256") == digest:
        return {issuer: (number, end) for issuer, (number, end) in memory["lists"].items()}
    lists = read(text)
    KNOWN.write_text(json.dumps({"sha256": digest, "lists": lists}), "utf-8")
    return lists


def check_newer(fetched: dict[str, tuple[int, float]], held: dict[str, tuple[int, float]]) -> None:
    """Refuse what would take a list away or turn one back.

    Raises:
        RefusedError: so.
    """
    for issuer, (number, _) in held.items():
        if issuer not in fetched:
            raise RefusedError("older-list", f"the list of {issuer} is missing")
        if fetched[issuer][0] < number:
            raise RefusedError(
                "older-list", f"the list of {issuer} is older ({fetched[issuer][0]}) than the one at hand ({number})"
            )
    now = time.time()
    for issuer, (_, end) in fetched.items():
        if end <= now:
            raise RefusedError("expired-list", f"the list of {issuer} has run out")


def fetch(url: str) -> bytes:
    """Get the file of all lists."""
    with urllib.request.urlopen(url, timeout=FETCH_LIMIT) as answer:  # noqa: S310 - the inventory states an http URL
        text = answer.read(SIZE_LIMIT + 1)
    if len(text) > SIZE_LIMIT:
        raise RefusedError("oversized-list", f"{url} is larger than {SIZE_LIMIT} octets")
    return text


def replace(text: bytes) -> None:
    """Put new lists in place in one step."""
    draft = LISTS.with_name(".crl.pem.new")
    draft.write_bytes(text)
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
    done = subprocess.run(["systemctl", *arguments], stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout.strip()


def note_staleness(held: dict[str, tuple[int, float]]) -> None:
    """Leave word for the health probe when a list has run out."""
    ended = [issuer for issuer, (_, end) in held.items() if end <= time.time()]
    if ended:
        STALE.write_text(f"the revocation list of {', '.join(ended)} has run out\n")
    else:
        STALE.unlink(missing_ok=True)


def main() -> int:
    """Fetch once."""
    settings = json.loads(SETTINGS.read_text("utf-8"))
    before = LISTS.read_bytes()
    code = 0
    try:
        text = fetch(settings["url"]) if settings["url"] else before
        if text != before:
            lists = read(text)
            check_newer(lists, known(before))
            replace(text)
            reload_units(settings["reload"])
            write_event("fetch-lists", lists=len(lists), units=settings["reload"])
    except RefusedError as error:
        write_event("fetch-lists", "refused", error.reason, error="RefusedError", detail=str(error))
        code = 1
    except (urllib.error.URLError, OSError) as error:
        write_event("fetch-lists", "failed", "unreachable", error=type(error).__name__, detail=settings["url"])
        code = 1
    note_staleness(known(LISTS.read_bytes()))
    return code


if __name__ == "__main__":
    os.umask(0o022)
    sys.exit(main())

"""The issuing CA's index of certificates, in the text form that ``openssl ocsp -index`` reads."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from cryptography import x509

from lab.state_file import read_text
from lab.trust.files import TrustError, write_private

if TYPE_CHECKING:
    from pathlib import Path

_TIME = "%y%m%d%H%M%SZ"  # UTCTime, as openssl-ca writes it
_FIELDS = 6
_REMEDY = "Put the file back from a copy: without it, revoked certificates would count as good."

REASONS: dict[str, x509.ReasonFlags] = {
    "unspecified": x509.ReasonFlags.unspecified,
    "keyCompromise": x509.ReasonFlags.key_compromise,
    "affiliationChanged": x509.ReasonFlags.affiliation_changed,
    "superseded": x509.ReasonFlags.superseded,
    "cessationOfOperation": x509.ReasonFlags.cessation_of_operation,
    "privilegeWithdrawn": x509.ReasonFlags.privilege_withdrawn,
}
"""Why a certificate was revoked (RFC 5280 5.3.1), by the name that the RFC gives it."""


@dataclass(frozen=True)
class Entry:
    """One certificate ever issued. ``name`` is ``<host>/<certificate>``, kept in the index's file-name field."""

    serial: int
    name: str
    subject: str
    expires: datetime
    revoked: datetime | None = None
    reason: str | None = None

    def line(self, now: datetime) -> str:
        """Return the entry as the index holds it: V valid, E expired, R revoked."""
        state, revocation = "V" if self.expires > now else "E", ""
        if self.revoked is not None:
            state, revocation = "R", f"{self.revoked.strftime(_TIME)},{self.reason or 'unspecified'}"
        digits = f"{self.serial:X}"
        digits = digits.zfill(len(digits) + len(digits) % 2)  # whole octets
        return "\t".join((state, self.expires.strftime(_TIME), revocation, digits, self.name, self.subject))


class Index:
    """The entries of ``index.txt``, by serial number, oldest first."""

    def __init__(self, path: Path) -> None:
        """Read the file; one that is not there is empty."""
        self._path = path
        self._entries: dict[int, Entry] = {}
        try:
            text = read_text(path, remedy=_REMEDY)
        except FileNotFoundError:
            text = ""
        for number, line in enumerate(text.splitlines(), start=1):
            entry = _parse(line, f"{path}:{number}")
            self._entries[entry.serial] = entry

    def entries(self) -> list[Entry]:
        """Return every entry, oldest first."""
        return list(self._entries.values())

    def revoked(self) -> list[Entry]:
        """Return what a CRL has to list."""
        return [entry for entry in self._entries.values() if entry.revoked is not None]

    def good(self, now: datetime) -> list[Entry]:
        """Return what is neither revoked nor expired."""
        return [entry for entry in self._entries.values() if entry.revoked is None and entry.expires > now]

    def get(self, serial: int) -> Entry | None:
        """Return the entry of a serial number, if there is one."""
        return self._entries.get(serial)

    def add(self, name: str, certificate: x509.Certificate) -> None:
        """Enter a certificate that has just been signed."""
        subject = "".join(
            f"/{attribute.rfc4514_attribute_name}={attribute.value!s}" for attribute in certificate.subject
        )
        entry = Entry(certificate.serial_number, name, subject, certificate.not_valid_after_utc)
        self._entries[entry.serial] = entry

    def revoke(self, serial: int, reason: str, now: datetime) -> None:
        """Mark a certificate as revoked; one that already is keeps its first date and reason."""
        entry = self._entries[serial]
        if entry.revoked is None:
            self._entries[serial] = replace(entry, revoked=now.replace(microsecond=0), reason=reason)

    def save(self, now: datetime) -> None:
        """Write the file again when it says something else than before."""
        text = "".join(entry.line(now) + "\n" for entry in self._entries.values()).encode()
        if not self._path.exists() or self._path.read_bytes() != text:
            write_private(self._path, text)


def _parse(line: str, where: str) -> Entry:
    fields = line.split("\t")
    try:
        if len(fields) != _FIELDS:
            raise ValueError(f"{len(fields)} fields instead of {_FIELDS}")  # noqa: TRY301 - one handler for all that is wrong with a line
        _, expires, revocation, serial, name, subject = fields
        revoked, _, reason = revocation.partition(",")
        return Entry(
            int(serial, 16), name, subject, _time(expires), _time(revoked) if revoked else None, reason or None
        )
    except ValueError as error:
        raise TrustError(
            f"{where}: not a line of an OpenSSL index: {error}",
            remedy=_REMEDY,
        ) from error


def _time(text: str) -> datetime:
    return datetime.strptime(text, _TIME).replace(tzinfo=UTC)

"""One message as it came: what may be stored as an event, and what is kept apart, with why.

XML is read within limits: no document type (``<!``), UTF-8 alone, 256 levels at most (libxml2), no more octets than a
frame has. What is no audit message by the schema (PS3.15 A.5.1) and by what its event requires (A.5.3) is kept apart.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from lxml import etree

from simulators.siem.audit_rules import faults
from simulators.siem.intake.forms import Forms, encoded
from simulators.siem.intake.header import MSGID, Header
from simulators.siem.normalise.audit import of_message

if TYPE_CHECKING:
    from simulators.siem.site import Site

SCHEMA = Path(__file__).parent.parent / "schema" / "audit.xsd"
LONGEST_REASON = 300
"""Characters."""


class Examined(NamedTuple):
    """What came of a message: the fields of an event as JSON, or why it is none."""

    fields: bytes
    reason: str


class _NotAnAuditMessageError(ValueError):
    """A message is not stored as an event."""


class Examiner:
    """Reads messages one after the other, and knows the forms of those that it has read."""

    def __init__(self, site: Site | None = None) -> None:
        """Add to events what the site's description says."""
        self._site, self._forms = site, Forms(site)

    def examine(self, header: Header, host: str, received: float) -> Examined:
        """Read a message.

        Args:
            header: the message, as far as it is read.
            host: short name of the sender, by its certificate.
            received: when it came, seconds since 1970.
        """
        try:
            _look_at_name(header)
            known = self._forms.fields(header, host, received)
            return Examined(known or self.in_full(header, host, received), "")
        except _NotAnAuditMessageError as error:
            reason = str(error)
        except Exception as error:  # noqa: BLE001 - whatever a message brings about, others are read after it
            reason = f"it cannot be read: {type(error).__name__}: {error}"
        return Examined(b"", "".join(c if c.isprintable() else " " for c in reason[:LONGEST_REASON]))

    def in_full(self, header: Header, host: str, received: float) -> bytes:
        """Read a message whose form is not known; return its fields as JSON."""
        root = _parsed(header.content)
        fields = of_message(root, host, received, program=header.program, pid=header.pid, sequence=header.number)
        if self._site is not None:
            self._site.enrich(fields)
        self._forms.learn(header, host, received, root, fields)
        return encoded(fields)


def _look_at_name(header: Header) -> None:
    if header.msgid != MSGID:
        raise _NotAnAuditMessageError("MSGID is not DICOM+RFC3881 (PS3.15 A.6)")


def _parsed(content: bytes) -> Any:
    if b"!" in content and b"<!" in content:  # one octet is searched for in a twentieth of the time
        raise _NotAnAuditMessageError("it has a document type, a comment or CDATA, which no audit message needs")
    try:
        content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _NotAnAuditMessageError(f"it is not UTF-8: octet {error.start}") from error
    try:
        root = etree.fromstring(content, _parser())
    except etree.XMLSyntaxError as error:
        raise _NotAnAuditMessageError(f"it is no XML: {error.msg}") from error
    schema = _schema()
    if not schema.validate(root):
        said: Any = schema.error_log  # lxml-stubs does not know what stands in it
        raise _NotAnAuditMessageError(f"PS3.15 A.5.1: {said.last_error.message}")
    if found := faults(root):
        raise _NotAnAuditMessageError("; ".join(found))
    return root


@cache
def _parser() -> etree.XMLParser:
    return etree.XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        load_dtd=False,
        no_network=True,
        huge_tree=False,
        remove_pis=True,
        collect_ids=False,
    )


@cache
def _schema() -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(SCHEMA))


def prepare() -> None:
    """Read the schema, so that processes which are begun from this one share it."""
    _parser()
    _schema()

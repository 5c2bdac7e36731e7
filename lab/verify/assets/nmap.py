"""Reads what nmap writes with ``-oX`` (nmap.dtd): ports, what answers there, and until when its certificate is good."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from xml.etree.ElementTree import ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from lab.errors import EngineError

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

LONGEST = 120
"""Characters that are kept of what a service says of itself."""


@dataclass(frozen=True)
class Found:
    """What was found at a port.

    Attributes:
        state: nmap's word: ``open``, ``closed``, ``filtered``.
        service: What it takes it for.
        product: Name and version, where it tells them.
        tls: Whether it speaks TLS.
        certificate_until: The end of the certificate that it shows, as nmap writes it; empty where it shows none.
    """

    state: str
    service: str = ""
    product: str = ""
    tls: bool = False
    certificate_until: str = ""

    def __str__(self) -> str:
        """All that is known, in words."""
        service = f"{self.service} over TLS" if self.tls else self.service
        until = f"certificate until {self.certificate_until}" if self.certificate_until else ""
        return ", ".join(part for part in (self.state, service, self.product, until) if part)


def read_scan(text: str) -> dict[int, Found]:
    """The TCP ports of the one host that was scanned.

    Raises:
        EngineError: it is no whole document of nmap.
    """
    try:
        root = fromstring(text, forbid_dtd=False)  # nmap names a stylesheet and a type, and no entities
    except (ParseError, DefusedXmlException) as error:
        raise EngineError(
            f"What nmap wrote cannot be read: {error}", remedy="Scan again; see its own output."
        ) from error
    finished = root.find("runstats/finished")
    if root.tag != "nmaprun" or finished is None or finished.get("exit") != "success":
        raise EngineError("nmap did not come to its end.", remedy="Scan again; see its own output.")
    return {
        int(port.get("portid", "0")): _found(port)
        for port in root.iterfind("host/ports/port")
        if port.get("protocol") == "tcp"
    }


def _found(port: Element) -> Found:
    state, service = port.find("state"), port.find("service")
    end = port.find("script[@id='ssl-cert']/table[@key='validity']/elem[@key='notAfter']")
    known = {} if service is None else service.attrib
    return Found(
        state="unknown" if state is None else state.get("state", "unknown"),
        service=known.get("name", ""),
        product=" ".join(known[word] for word in ("product", "version") if word in known)[:LONGEST],
        tls=known.get("tunnel") == "ssl" or end is not None,
        certificate_until="" if end is None else (end.text or "").strip()[:LONGEST],
    )

"""Chooses who tries what on whom, by what hosts are and which flows they have: any that qualifies will do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.abuse.attempt import Parties, PartyMissingError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.topology.site import ResolvedFlow, Site

DICOM, HL7 = "dicom-tls", "hl7-tls"
DICOM_NODE, HL7_NODE, SYSLOG_NODE = "dicom-node", "hl7-node", "syslog-node"
"""Profiles of callers' certificates."""
DICOM_SERVICE = "dicom-service"
"""That of a DICOM edge's own."""


def certificate_of(site: Site, host: str, profile: str) -> str:
    """The name of a certificate of a profile that a host holds; empty where it holds none."""
    return next((name for name, held in site.certificates(host).items() if held.profile == profile), "")


def flows(site: Site, service: str, *permits: str, to: str | None = None) -> Iterator[ResolvedFlow]:
    """The flows of a service between hosts of ours that permit all of these, to a host or to any."""
    for flow in site.flows:
        if not {flow.source, flow.target} <= site.managed.keys():
            continue  # nothing can be tried on a foreign device, and nothing read there
        if flow.service == service and to in {None, flow.target} and set(permits) <= set(flow.permits):
            yield flow


def scanner_at_archive(site: Site) -> Parties:
    """A scanner that stores images and may not ask for any, the archive it stores them in, and another kind of scanner.

    The other one stores there too, so that its AE title is a good one in the archive's eyes.

    Raises:
        PartyMissingError: the site has no such three.
    """
    for flow in flows(site, DICOM, "C-STORE", "N-ACTION"):
        modality = site.hosts[flow.source].modality
        if modality is None or {"C-FIND", "C-GET"} & set(flow.permits):
            continue
        others = (sending.source for sending in flows(site, DICOM, "C-STORE", "N-ACTION", to=flow.target))
        for other in others:
            if site.hosts[other].modality not in {None, modality}:
                return Parties(flow.source, flow.target, other)
    raise PartyMissingError("the site has no two kinds of scanners that store in one archive")


def scanner_alone_at_archive(site: Site) -> Parties:
    """A scanner that stores images and may not ask for any, and the archive that it stores them in.

    Raises:
        PartyMissingError: the site has no such scanner.
    """
    for flow in flows(site, DICOM, "C-STORE", "N-ACTION"):
        if site.hosts[flow.source].modality is not None and not {"C-FIND", "C-GET"} & set(flow.permits):
            return Parties(flow.source, flow.target)
    raise PartyMissingError("the site has no scanner that stores in an archive and may ask it for nothing")


def scanners_at_ris(site: Site) -> Parties:
    """A scanner, the order filler whose worklist it asks for, and another kind of scanner with a worklist there.

    Raises:
        PartyMissingError: the site has no such three.
    """
    for flow in flows(site, DICOM, "MWL", "MPPS"):
        for other in flows(site, DICOM, "MWL", to=flow.target):
            if site.hosts[other.source].modality != site.hosts[flow.source].modality:
                return Parties(flow.source, flow.target, other.source)
    raise PartyMissingError("the site has no two kinds of scanners with a worklist")


def scanner_at_ris(site: Site) -> Parties:
    """A scanner and the order filler that follows its procedure steps.

    Raises:
        PartyMissingError: the site has none.
    """
    for flow in flows(site, DICOM, "MPPS"):
        return Parties(flow.source, flow.target)
    raise PartyMissingError("the site has no scanner whose steps are followed")


def record_at_ris(site: Site) -> Parties:
    """The record that registers patients, the order filler, and another application that sends messages to it.

    Raises:
        PartyMissingError: the site has no such three.
    """
    for flow in flows(site, HL7, "ADT^A04"):
        for other in flows(site, HL7, to=flow.target):
            if other.source != flow.source:
                return Parties(flow.source, flow.target, other.source)
    raise PartyMissingError("the site has no record beside another application that sends messages to the same one")


def reader_at_ris(site: Site) -> Parties:
    """An application that may send reports and no merge, the order filler, and the record that registers patients.

    Raises:
        PartyMissingError: the site has no such three.
    """
    for flow in flows(site, HL7, "ORU^R01"):
        for other in flows(site, HL7, "ADT^A04", to=flow.target):
            if "ADT^A40" not in flow.permits:
                return Parties(flow.source, flow.target, other.source)
    raise PartyMissingError("the site has no application that sends reports to where a record registers patients")


def unlisted_at_ris(site: Site) -> Parties:
    """The record, the order filler, and a host that holds an HL7 certificate and may not send there.

    Raises:
        PartyMissingError: the site has no such three.
    """
    for flow in flows(site, HL7, "ADT^A04"):
        listed = {permitted.source for permitted in flows(site, HL7, to=flow.target)}
        for other in site.managed:
            if other not in {*listed, flow.target} and certificate_of(site, other, HL7_NODE):
                return Parties(flow.source, flow.target, other)
    raise PartyMissingError("the site has no host with an HL7 certificate that a record's receiver does not list")


def senders_at_collector(site: Site) -> Parties:
    """A scanner that sends its log, the collector, and another host that does.

    Raises:
        PartyMissingError: the site has no such three.
    """
    senders = [flow for flow in site.flows_to("log-collection") if flow.source in site.managed]
    for flow in senders:
        if site.hosts[flow.source].modality is not None and certificate_of(site, flow.source, DICOM_NODE):
            for other in (sender for sender in senders if sender.target == flow.target):
                if other.source != flow.source:
                    return Parties(flow.source, flow.target, other.source)
    raise PartyMissingError("the site has no scanner that sends its log to where others do")


def visitor_at_archive(site: Site) -> Parties:
    """A host that no flow lets call anybody, an archive in another zone, and a scanner that may store there.

    Raises:
        PartyMissingError: the site has no such three.
    """
    callers = {flow.source for flow in site.flows}
    scanner = scanner_alone_at_archive(site)
    for name, host in site.managed.items():
        if name not in callers and host.zone != site.hosts[scanner.target].zone and not host.gateway:
            return Parties(name, scanner.target, scanner.source)
    raise PartyMissingError("the site has no host without flows")

"""The register of assets as a CycloneDX 1.6 document: hosts, what is installed on each, services, known weaknesses."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING
from uuid import NAMESPACE_DNS, uuid5

from cyclonedx.model import Property
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.contact import OrganizationalEntity
from cyclonedx.model.impact_analysis import (
    ImpactAnalysisJustification,
    ImpactAnalysisResponse,
    ImpactAnalysisState,
)
from cyclonedx.model.license import DisjunctiveLicense
from cyclonedx.model.service import Service
from cyclonedx.model.vulnerability import (
    BomTarget,
    Vulnerability,
    VulnerabilityAnalysis,
    VulnerabilityRating,
    VulnerabilityScoreSource,
    VulnerabilitySeverity,
    VulnerabilitySource,
)
from cyclonedx.output import make_outputter
from cyclonedx.schema import OutputFormat, SchemaVersion
from packageurl import PackageURL

from lab.assets.known import Answer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from lab.assets.known import Response
    from lab.assets.matches import Match
    from lab.assets.model import Asset, Installed, Package
    from lab.topology.site import Site

PROPERTY = "pacslab:asset:"
"""Before the name of each property of ours."""

_ANALYSES: dict[
    Answer, tuple[ImpactAnalysisState, ImpactAnalysisJustification | None, ImpactAnalysisResponse | None]
] = {
    Answer.ACCEPT: (ImpactAnalysisState.EXPLOITABLE, None, ImpactAnalysisResponse.WILL_NOT_FIX),
    Answer.MITIGATE: (ImpactAnalysisState.EXPLOITABLE, None, ImpactAnalysisResponse.WORKAROUND_AVAILABLE),
    Answer.AVOID: (ImpactAnalysisState.NOT_AFFECTED, ImpactAnalysisJustification.CODE_NOT_REACHABLE, None),
}


def document(
    site: Site, assets: Sequence[Asset], installed: Mapping[str, Installed], found: Sequence[Match], at: datetime
) -> str:
    """The document, as JSON: each package stands once, and a host depends on its packages.

    Args:
        site: which the hosts are of.
        assets: the hosts.
        installed: what is on each of them.
        found: known weaknesses; those that no host has are left out.
        at: when it is made.
    """
    bom = Bom(serial_number=uuid5(NAMESPACE_DNS, f"{site.topology.domain}/{at.isoformat()}"))
    bom.metadata.timestamp = at
    whole = Component(
        name=site.name, type=ComponentType.PLATFORM, description=site.topology.title, bom_ref=f"site:{site.name}"
    )
    bom.metadata.component = whole
    packages: dict[str, Component] = {}
    hosts = []
    for asset in assets:
        host = _host(asset)
        own = [packages.setdefault(entry.purl, _package(entry)) for entry in installed[asset.host].packages]
        bom.components.add(host)
        bom.services.update(_services(asset))
        bom.register_dependency(host, own)
        hosts.append(host)
    bom.components.update(packages.values())
    bom.register_dependency(whole, hosts)
    for match in found:
        if match.present:
            bom.vulnerabilities.update(_vulnerabilities(match))
    return make_outputter(bom, OutputFormat.JSON, SchemaVersion.V1_6).output_as_string(indent=1)


def _host(asset: Asset) -> Component:
    facts = {
        "owner": asset.owner,
        "criticality": asset.criticality,
        "regulated": _word(asset.regulated),
        "foreign": _word(asset.foreign),
        "zone": asset.zone,
        "functions": " ".join(asset.functions),
        "roles": " ".join(asset.roles),
        "ae-title": asset.ae_title,
        "modality": asset.modality,
    }
    properties = [Property(name=f"{PROPERTY}{name}", value=value) for name, value in facts.items() if value]
    properties += [
        Property(name=f"{PROPERTY}address", value=f"{address.address} {address.zone}") for address in asset.addresses
    ]
    properties += [
        Property(
            name=f"{PROPERTY}certificate",
            value=" ".join([own.name, own.profile, *([own.until.isoformat()] if own.until else [])]),
        )
        for own in asset.certificates
    ]
    return Component(
        name=asset.fqdn,
        type=ComponentType.DEVICE,
        description=asset.purpose,
        supplier=OrganizationalEntity(name=asset.owner),
        bom_ref=f"host:{asset.host}",
        properties=properties,
    )


def _services(asset: Asset) -> list[Service]:
    """What others may reach; loopback services are the host's own affair."""
    return [
        Service(
            name=f"{asset.host}: {service.name}",
            bom_ref=f"service:{asset.host}/{service.name}/{service.port}",
            properties=[
                Property(name=f"{PROPERTY}host", value=asset.host),
                Property(name=f"{PROPERTY}port", value=f"{service.protocol}/{service.port}"),
                *([Property(name=f"{PROPERTY}presents", value=service.presents)] if service.presents else []),
            ],
        )
        for service in asset.services
        if service.scope == "network"
    ]


def _package(package: Package) -> Component:
    return Component(
        name=package.name,
        version=package.version,
        type=ComponentType.LIBRARY,
        bom_ref=package.purl,
        purl=PackageURL.from_string(package.purl),
        licenses=[DisjunctiveLicense(name=name) for name in package.licences],
    )


def _vulnerabilities(match: Match) -> list[Vulnerability]:
    weakness = match.weakness
    targets = sorted({package.purl for packages in match.hosts.values() for package in packages})
    rating = VulnerabilityRating(
        score=None if weakness.cvss is None else Decimal(str(weakness.cvss)),
        severity=VulnerabilitySeverity(weakness.severity),
        method=VulnerabilityScoreSource.CVSS_V3_1 if weakness.cvss is not None else None,
    )
    return [
        Vulnerability(
            bom_ref=name,
            id=name,
            source=VulnerabilitySource(name=weakness.source),
            description=weakness.what,
            ratings=[rating],
            affects=[BomTarget(ref=target) for target in targets],
            analysis=_analysis(weakness.response),
        )
        for name in weakness.ids
    ]


def _analysis(response: Response | None) -> VulnerabilityAnalysis:
    if response is None:
        return VulnerabilityAnalysis(state=ImpactAnalysisState.IN_TRIAGE)
    state, justification, answer = _ANALYSES[response.answer]
    return VulnerabilityAnalysis(
        state=state,
        justification=justification,
        responses=[answer] if answer else [],
        detail=f"{response.answer}: {response.reason}",
    )


def _word(value: bool) -> str:  # noqa: FBT001 # a fact that is written as a word
    return "true" if value else "false"

"""Types of ``topology.yml``: what a person writes, exactly, and nothing derived."""

from __future__ import annotations

from enum import StrEnum
from ipaddress import IPv4Address, IPv4Network
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,30}$")]
"""A zone, host or service: lower case letters, digits and hyphens."""

RoleName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,30}$")]
"""An Ansible role: a folder of ``roles/``."""

AETitle = Annotated[str, StringConstraints(pattern=r"^[A-Z0-9_-]{1,16}$")]
"""A DICOM application entity title (PS3.5 6.2 allows more; these are the safe ones)."""

Selector = Annotated[
    str, StringConstraints(pattern=r"^([a-z][a-z0-9-]{0,30}|role:[a-z][a-z0-9_]*|zone:[a-z][a-z0-9-]*)$")
]
"""Who a flow speaks of: a host, ``role:ROLE`` or ``zone:ZONE``."""


class Strict(BaseModel):
    """Frozen, and a key that is not known is a mistake."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Zone(Strict):
    """One IP network behind the firewall."""

    vlan: int = Field(ge=1, le=4094, description="VLAN number; the lab names the zone's bridge and interfaces by it.")
    subnet: IPv4Network = Field(description="The zone's IPv4 network; it exists inside the lab only.")
    isolated: bool = Field(
        default=False, description="Ports are isolated: hosts of this zone cannot reach each other at layer 2."
    )
    purpose: str = Field(min_length=1, description="What the zone is for, in one line.")

    @property
    def gateway(self) -> IPv4Address:
        """The firewall's address in this zone: the first usable one."""
        return self.subnet[1]


class Criticality(StrEnum):
    """How much care delivery suffers when the asset is lost (CSF ID.AM-5)."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class Asset(Strict):
    """What an asset register keeps of a host (CSF ID.AM-1, ID.AM-5)."""

    owner: str = Field(min_length=1, description="The department or party that answers for it.")
    criticality: Criticality
    regulated: bool = Field(
        default=False, description="Part of an FDA-regulated device: what may be changed on it is limited."
    )
    purpose: str = Field(min_length=1, description="What the host does, in one line.")


class Host(Strict):
    """One machine of the site."""

    zone: Name
    address: IPv4Address
    roles: list[RoleName] = Field(min_length=1, description="Ansible roles in order; images are prefixes of this list.")
    gateway: bool = Field(
        default=False, description="The firewall: it also holds the gateway address of every other zone."
    )
    ae_title: AETitle | None = Field(default=None, description="DICOM application entity title.")
    modality: Literal["CT", "MR", "US", "DX"] | None = Field(
        default=None, description="DICOM Modality (0008,0060) that a modality acquires."
    )
    asset: Asset


class Flow(Strict):
    """Who may open which service to whom, and why. What no flow allows is denied."""

    from_: Selector | list[Selector] = Field(alias="from", description="The side that opens the connection.")
    to: Selector | list[Selector] = Field(description="The side that offers the service.")
    service: Name = Field(description="A service that a role of the target offers.")
    permits: list[str] = Field(
        default_factory=list,
        description="What may be asked inside: DICOM operations (C-STORE, MWL, MPPS, ...) or HL7 messages (ADT^A04, ...).",
    )
    why: str = Field(min_length=1, description="The IHE transaction or the administrative reason.")


class Topology(Strict):
    """A site, as written."""

    site: Name
    title: str
    domain: str = Field(
        pattern=r"^[a-z0-9.-]+$", description="DNS domain of the hosts; one reserved for private use, such as *.internal."
    )
    zones: dict[Name, Zone] = Field(min_length=1)
    hosts: dict[Name, Host] = Field(min_length=1)
    flows: list[Flow] = Field(min_length=1)

"""Types of ``topology.yml``: what a person writes, exactly, and nothing derived."""

from __future__ import annotations

from enum import StrEnum
from ipaddress import IPv4Address, IPv4Network
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

NAME = r"^[a-z]([a-z0-9-]{0,29}[a-z0-9])?$"
ROLE_NAME = r"^[a-z][a-z0-9_]{0,30}$"
AE_TITLE = r"^[A-Z0-9_-]{1,16}$"
PERSON = r"^[a-z]([a-z0-9.-]{0,18}[a-z0-9])?$"
PROFILE_ENTRY = r"^([a-z][a-z0-9_]{0,30}|profile:[a-z]([a-z0-9-]{0,29}[a-z0-9])?)$"
SELECTOR = (
    r"^([a-z]([a-z0-9-]{0,29}[a-z0-9])?|role:[a-z][a-z0-9_]{0,30}|(zone|function):[a-z]([a-z0-9-]{0,29}[a-z0-9])?)$"
)
IMAGE = r"^[a-z0-9][A-Za-z0-9._:/@-]{0,254}$"
MOUNT = r"^(/[A-Za-z0-9._-]*[A-Za-z0-9_-])+$"
ENVIRONMENT_NAME = r"^[A-Za-z_][A-Za-z0-9_]{0,127}$"
DOMAIN = r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$"

Name = Annotated[str, StringConstraints(pattern=NAME)]
"""A zone, host or service: lower case letters, digits and inner hyphens, as a DNS label (RFC 1123 2.1)."""

RoleName = Annotated[str, StringConstraints(pattern=ROLE_NAME)]
"""An Ansible role: a folder of ``roles/``."""

ProfileEntry = Annotated[str, StringConstraints(pattern=PROFILE_ENTRY)]
"""What a profile lists: a role, or ``profile:NAME`` for all roles of another profile."""

PersonName = Annotated[str, StringConstraints(pattern=PERSON)]
"""A person's name at sign-on: 20 characters at most, as a directory's sAMAccountName allows."""

AETitle = Annotated[str, StringConstraints(pattern=AE_TITLE)]
"""A DICOM application entity title (PS3.5 6.2 allows more; these are the safe ones)."""

EnvironmentName = Annotated[str, StringConstraints(pattern=ENVIRONMENT_NAME)]
"""A variable of a process's environment."""

Selector = Annotated[str, StringConstraints(pattern=SELECTOR)]
"""Who a flow speaks of: a host, ``role:ROLE``, ``function:FUNCTION`` or ``zone:ZONE``."""

Selectors = Selector | Annotated[list[Selector], Field(min_length=1)]
"""One selector, or several of which any may match."""

Mirror = Literal["all"] | Annotated[list[Name], Field(min_length=1)]
"""Zones that a host watches: names, or every zone but its own."""


class Strict(BaseModel):
    """Frozen, and a key that is not known is a mistake."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Zone(Strict):
    """One IP network behind the firewall."""

    vlan: int = Field(
        ge=1, le=4094, description="VLAN number; the lab names the zone's bridge and interfaces by it.", examples=[41]
    )
    subnet: IPv4Network = Field(
        description="The zone's IPv4 network; it exists inside the lab only. Its first address is the firewall's.",
        examples=["10.24.41.0/24"],
        json_schema_extra={"pattern": r"^[0-9]{1,3}(\.[0-9]{1,3}){3}/[0-9]{1,2}$"},
    )
    isolated: bool = Field(
        default=False,
        description="Ports are isolated: hosts of this zone cannot reach each other at layer 2.",
        examples=[True],
    )
    purpose: str = Field(min_length=1, description="What the zone is for, in one line.", examples=["CT scanners"])

    @property
    def gateway(self) -> IPv4Address:
        """The firewall's address in this zone: the first usable one."""
        return self.subnet[1]


class Criticality(StrEnum):
    """How much care delivery suffers when the asset is lost."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class Asset(Strict):
    """What an asset register keeps of a host."""

    owner: str = Field(min_length=1, description="The department or party that answers for it.", examples=["Radiology"])
    criticality: Criticality = Field(
        description="How much care delivery suffers when the asset is lost.", examples=["high"]
    )
    regulated: bool = Field(
        default=False,
        description="Part of an FDA-regulated device: what may be changed on it is limited.",
        examples=[True],
    )
    purpose: str = Field(min_length=1, description="What the host does, in one line.", examples=["CT scanner"])


class Device(Strict):
    """A machine that is not of this project: nothing is installed on it, and it does as its maker made it."""

    image: str | None = Field(
        default=None,
        pattern=IMAGE,
        description="A Docker image that this machine has, run as it is. Without one the host is a place in the "
        "network, where programs run with `pacslab as HOST -- COMMAND`.",
        examples=["vendor/viewer:4.2"],
    )
    command: list[str] | None = Field(
        default=None,
        min_length=1,
        description="What it runs in place of the image's own command.",
        examples=[["storescp", "11112"]],
    )
    environment: dict[EnvironmentName, str] = Field(
        default_factory=dict, description="Its environment, besides the image's.", examples=[{"TZ": "Europe/Berlin"}]
    )
    bundle: str | None = Field(
        default=None,
        pattern=MOUNT,
        description="The folder in it that shows its certificates and its peers (`pacslab pki bundle`), read-only.",
        examples=["/etc/tls"],
    )
    memory: int = Field(
        default=512,
        ge=8,
        description="Megabytes of the machine's memory that it may take at most.",
        examples=[2048],
    )
    shim: bool = Field(
        default=False,
        description="It knows no TLS: the host's roles are installed in a container that it shares the network with, "
        "and it speaks plainly with them on loopback.",
        examples=[True],
    )


class FreeSpace(Strict):
    """The room that folders of a host's services need; with less, the host is not healthy."""

    megabytes: int = Field(
        default=600,
        ge=1,
        description="Free megabytes on its file system: more than archives keep in reserve, so that a host is named "
        "before it refuses.",
        examples=[2000],
    )
    percent: int = Field(
        default=5,
        ge=1,
        le=90,
        description="Of a file system so small that this is less than the megabytes, its free part that is enough.",
        examples=[10],
    )
    inodes_percent: int = Field(
        default=2, ge=0, le=90, description="Of a file system that counts inodes, the free part of them.", examples=[5]
    )


class Host(Strict):
    """One machine of the site."""

    zone: Name = Field(description="The zone that it stands in.", examples=["modality-ct"])
    address: IPv4Address = Field(
        description="Its address: one of the zone's, and not the gateway's unless the host is the gateway.",
        examples=["10.24.41.11"],
    )
    profile: Name | None = Field(
        default=None,
        description="One of the site's profiles: the roles that the host begins with.",
        examples=["modality"],
    )
    roles: list[RoleName] = Field(
        default_factory=list,
        description="Further Ansible roles, in order; images are prefixes of the whole list.",
        examples=[["hl7_edge", "simulators", "ehr"]],
    )
    gateway: bool = Field(
        default=False,
        description="The firewall: it also holds the gateway address of every other zone. A site has exactly one.",
        examples=[True],
    )
    ae_title: AETitle | None = Field(
        default=None, description="DICOM application entity title; no two hosts share one.", examples=["CT1"]
    )
    performs_as: list[AETitle] = Field(
        default_factory=list,
        description="Further AE titles that procedure steps of this modality may name as performing (0040,0241).",
        examples=[["CT1A"]],
    )
    modality: Literal["CT", "MR", "US", "DX"] | None = Field(
        default=None, description="DICOM Modality (0008,0060) that a modality acquires.", examples=["CT"]
    )
    functions: list[Name] = Field(
        default_factory=list,
        description="What it is in the hospital's work; scenarios and flows ask for that instead of its name.",
        examples=[["acquisition"]],
    )
    device: Device | None = Field(
        default=None,
        description="A foreign device: its roles say how it behaves on the network, and nothing is installed on it.",
        examples=[{"image": "vendor/viewer:4.2", "bundle": "/etc/tls"}],
    )
    mirror: Mirror | None = Field(
        default=None,
        description="Zones of which it gets a copy of every frame, at an interface that has no address and sends "
        "nothing: names, or `all` for every zone but its own.",
        examples=["all", ["modality-ct", "pacs-core"]],
    )
    free_space: FreeSpace | None = Field(
        default=None,
        description="The room that its folders need, where that is not the site's.",
        examples=[{"megabytes": 2000}],
    )
    memory: int | None = Field(
        default=None,
        ge=64,
        description="Megabytes of the machine's memory that it may take at most, where its roles say too little or too "
        "much, as after a role's own limit was changed.",
        examples=[4096],
    )
    asset: Asset = Field(
        description="What the asset register keeps of it.",
        examples=[{"owner": "Radiology", "criticality": "high", "regulated": True, "purpose": "CT scanner"}],
    )

    @property
    def foreign(self) -> bool:
        """Whether nothing of this project is installed on it: its roles only say how it behaves."""
        return self.device is not None and not self.device.shim

    def matches(self, name: str, selector: str) -> bool:
        """Tell whether a selector speaks of this host, whose name is given."""
        kind, _, value = selector.rpartition(":")
        if kind == "role":
            return value in self.roles
        if kind == "zone":
            return value == self.zone
        if kind == "function":
            return value in self.functions
        return value == name


SecondFactor = Literal["one-time-password", "security-key"]
"""What somebody signs in with beside the password: a code of RFC 6238, or a key of WebAuthn."""


class Person(Strict):
    """Somebody who works at the site, or for it."""

    given: str = Field(min_length=1, max_length=60, description="Given name.", examples=["Ana"])
    family: str = Field(min_length=1, max_length=60, description="Family name.", examples=["Rivera"])
    department: str = Field(
        min_length=1,
        max_length=60,
        description="Where the person works; what a role may do for its department reaches this one's patients.",
        examples=["Radiology"],
    )
    roles: list[Name] = Field(
        min_length=1,
        description="What the person is, as `docs/people.md` lists; what nobody may hold together is refused.",
        examples=[["radiologist"]],
    )
    second_factor: SecondFactor = Field(
        default="one-time-password",
        description="What the person signs in with beside the password.",
        examples=["security-key"],
    )


class Visitor(Strict):
    """Somebody of a partner, who signs in at home: with a password and a one-time password."""

    given: str = Field(min_length=1, max_length=60, description="Given name.", examples=["Eva"])
    family: str = Field(min_length=1, max_length=60, description="Family name.", examples=["Lund"])


class Partner(Strict):
    """Another house, whose people sign in at their own sign-on and come to applications of this one with that."""

    title: str = Field(
        min_length=1, max_length=60, description="The partner's name for people.", examples=["Partner hospital"]
    )
    host: Name = Field(
        description="The host that stands for the partner's sign-on: its role offers a service with `home`.",
        examples=["partner-idp1"],
    )
    role: Name = Field(
        description="What each of its people is here, whatever the partner says of them. A role that reaches the "
        "patients whom its people treat, and no others.",
        examples=["visiting-clinician"],
    )
    trusted: bool = Field(
        default=True,
        description="Whether its people are let in. `false` cuts the trust: nobody of the partner comes in any more, "
        "and whoever is in is signed out within a minute.",
        examples=[False],
    )
    people: dict[PersonName, Visitor] = Field(
        default_factory=dict,
        description="Its people, by the name that they sign in with at home; here they are NAME@PARTNER.",
        examples=[{"e.lund": {"given": "Eva", "family": "Lund"}}],
    )


class Flow(Strict):
    """Who may open which service to whom, and why. What no flow allows is denied."""

    from_: Selectors = Field(
        alias="from", description="The side that opens the connection.", examples=["role:modality"]
    )
    to: Selectors = Field(description="The side that offers the service.", examples=[["pacs-rad", "vna1"]])
    service: Name = Field(description="A service that a role of the target offers.", examples=["dicom-tls"])
    permits: list[str] = Field(
        default_factory=list,
        description="What may be asked inside: DICOM operations (C-STORE, MWL, MPPS, ...), HL7 messages (ADT^A04, ...) "
        "or DICOMweb transactions (QIDO-RS, ...).",
        examples=[["C-ECHO", "C-STORE"]],
    )
    why: str = Field(
        min_length=1,
        description="The IHE transaction or the administrative reason.",
        examples=["RAD-8 Modality Images Stored"],
    )


class Topology(Strict):
    """A site, as written."""

    site: Name = Field(description="The site's name: that of its folder in inventories/.", examples=["reference"])
    title: str = Field(min_length=1, description="The site's name for people.", examples=["Reference imaging site"])
    domain: str = Field(
        pattern=DOMAIN,
        description="DNS domain of the hosts; one reserved for private use, such as *.internal.",
        examples=["imaging.internal"],
    )
    zones: dict[Name, Zone] = Field(min_length=1, description="The site's zones, by name.")
    profiles: dict[Name, Annotated[list[ProfileEntry], Field(min_length=1)]] = Field(
        default_factory=dict,
        description="Lists of roles that hosts share. `profile:NAME` in a list stands for the roles of that profile.",
        examples=[{"managed": ["base", "trust", "log_forwarder"], "server": ["profile:managed", "haproxy"]}],
    )
    free_space: FreeSpace = Field(
        default_factory=FreeSpace,
        description="The room that the folders of every host's services need.",
        examples=[{"megabytes": 500, "percent": 10}],
    )
    hosts: dict[Name, Host] = Field(min_length=1, description="The site's hosts, by name.")
    people: dict[PersonName, Person] = Field(
        default_factory=dict,
        description="People who sign in, by the name that they sign in with.",
        examples=[
            {"a.rivera": {"given": "Ana", "family": "Rivera", "department": "Radiology", "roles": ["radiologist"]}}
        ],
    )
    partners: dict[Name, Partner] = Field(
        default_factory=dict,
        description="Other houses whose people come with their own sign-on, by the word that stands behind the @.",
        examples=[
            {
                "partner": {
                    "title": "Partner hospital",
                    "host": "partner-idp1",
                    "role": "visiting-clinician",
                    "people": {"e.lund": {"given": "Eva", "family": "Lund"}},
                }
            }
        ],
    )
    flows: list[Flow] = Field(min_length=1, description="Everything that is allowed.")

    @property
    def everybody(self) -> dict[str, Person]:
        """The site's own people, and those of its partners."""
        return {**self.people, **self.visitors}

    @property
    def visitors(self) -> dict[str, Person]:
        """People of all partners, by the name that they have here, which nobody of the house can have."""
        return {
            f"{name}@{key}": Person(
                given=visitor.given, family=visitor.family, department=partner.title, roles=[partner.role]
            )
            for key, partner in self.partners.items()
            for name, visitor in partner.people.items()
        }

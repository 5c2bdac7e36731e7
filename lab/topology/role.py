"""What a role says of itself in ``meta/pacslab.yml``: all that ``lab/`` needs to know of it."""

from __future__ import annotations

import re
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from lab.topology.model import Name, Person, RoleName, SecondFactor, Strict

WORD = r"^[a-z][a-z0-9_]{0,62}$"
CAPABILITY = r"^[A-Z][A-Z_]{2,30}$"
DEVICE = r"^/dev/[a-z0-9][a-z0-9/_-]{0,60}$"
FOLDER = r"^(/[A-Za-z0-9._-]+)+$"
COLOUR = r"^#[0-9a-f]{6}$"
DASHES = r"^(none|[0-9]{1,2}( [0-9]{1,2}){1,7})$"

SecretName = Annotated[str, StringConstraints(pattern=WORD)]
"""A secret: lower case letters, digits and underscores, since templates read it as an attribute."""

Capability = Annotated[str, StringConstraints(pattern=CAPABILITY)]
"""A Linux capability as capabilities(7) names it, without ``CAP_``."""

Device = Annotated[str, StringConstraints(pattern=DEVICE)]
"""A device file of the machine, such as ``/dev/net/tun``."""

VariableName = Annotated[str, StringConstraints(pattern=WORD)]
"""An Ansible variable."""

Folder = Annotated[str, StringConstraints(pattern=FOLDER)]
"""A folder of a host, such as ``/var/lib/orthanc``."""

Account = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,30}$")]
"""A system user of a host."""

Reason = Annotated[str, StringConstraints(min_length=1)]

Usage = Literal["serverAuth", "clientAuth", "codeSigning", "emailProtection", "timeStamping", "OCSPSigning"]
"""An extended key usage as RFC 5280 4.2.1.12 names it."""

Provision = Literal["certificate-status", "log-collection", "fabric-log", "administration", "pages", "audit-repository"]
"""What the lab itself looks for at a service: CRL and OCSP by HTTP at its host, the log of every other host, at a
loopback port that of the lab's own network, SSH by which administrators reach its host, pages for a browser, or what
keeps audit messages and answers for them."""


class UnitProbe(Strict):
    """Healthy while the service's systemd unit is active."""

    kind: Literal["unit"] = "unit"


class TcpProbe(Strict):
    """Healthy when the service's port accepts a connection on the host itself."""

    kind: Literal["tcp"]


class CommandProbe(Strict):
    """Healthy when a command on the host ends with 0; its last output is shown when it does not."""

    kind: Literal["command"]
    command: list[str] = Field(min_length=1)
    depends_on: list[Literal["packet-filter"] | Annotated[str, Field(pattern="^/")]] = Field(
        default_factory=list,
        description="All that the answer follows from: files, or the kernel's packet filter. "
        "While none of them changes, a good answer stands and the command is not run again.",
    )


class RoomProbe(Strict):
    """Healthy while every folder of the host's ``storage`` can be written and has the room of ``free_space``."""

    kind: Literal["room"]


Probe = Annotated[UnitProbe | TcpProbe | CommandProbe | RoomProbe, Field(discriminator="kind")]


class Vocabulary(Strict):
    """What flows may permit inside a connection to a service: words, or all that follow a pattern."""

    standard: str = Field(min_length=1, description="Where the words are defined, such as PS3.4.")
    words: dict[str, Reason] = Field(default_factory=dict, description="Each word with the clause that defines it.")
    pattern: str | None = Field(default=None, description="In place of words: the expression that each follows.")
    form: str | None = Field(default=None, description="The pattern in words, with an example.")

    @model_validator(mode="after")
    def _words_or_a_pattern(self) -> Self:
        if bool(self.words) == bool(self.pattern) or (self.pattern is None) != (self.form is None):
            raise ValueError("either words, or a pattern together with its form in words")
        return self

    def advice(self) -> str:
        """Say what may be written."""
        return f"Known here: {', '.join(self.words)}." if self.words else f"Write {self.form}."

    def knows(self, word: str) -> bool:
        """Tell whether a word may stand in ``permits``."""
        return word in self.words or (self.pattern is not None and re.fullmatch(self.pattern, word) is not None)


class Line(Strict):
    """How a service's flows are drawn: colours and dashes that are told apart with any colour vision, and in print."""

    colour: Annotated[str, StringConstraints(pattern=COLOUR)]
    dashes: Annotated[str, StringConstraints(pattern=DASHES)] = "none"


class Service(Strict):
    """Something a host offers or does, with a state that can be asked for."""

    port: int | None = Field(default=None, ge=1, le=65535)
    protocol: Literal["tcp", "udp"] = "tcp"
    scope: Literal["network", "loopback"] = Field(
        default="network", description="network: flows may open it; loopback: for other services of the same host."
    )
    unit: str = Field(description="The systemd unit that provides it.")
    probe: Probe = UnitProbe()
    remedy: str = Field(min_length=1, description="What to look at when it is not healthy.")
    provides: Provision | None = Field(default=None, description="What the lab itself looks for at this service.")
    account: Account | None = Field(
        default=None, description="The account of the host as which people come in, where the service lets them."
    )
    permits: Vocabulary | None = Field(
        default=None, description="What a flow may permit inside a connection; without it a flow permits everything."
    )
    ae_titles: bool = Field(
        default=False, description="Both sides introduce themselves by AE title, so both must have one (PS3.8 9.3.2)."
    )
    presents: Name | None = Field(
        default=None,
        description="Profile of the certificate with which it proves itself over TLS; clients accept no other.",
    )
    takes: dict[Name, Reason] = Field(
        default_factory=dict, description="What other roles may ask of it (their ``asks``), and what each means."
    )
    callers: Name | None = Field(
        default=None, description="Profile of the certificate that callers show; without it they need none."
    )
    carries: Name | None = Field(
        default=None,
        description="This loopback port and those after it lead to the targets of the host's flows of that service, "
        "in the order of the targets' names; who connects there needs no TLS.",
    )
    home: bool = Field(
        default=False, description="People of another house sign in at it: its host stands for a partner, who names it."
    )
    beside: bool = Field(
        default=False, description="A device beside the host serves it, on loopback; the role only leads callers there."
    )
    line: Line | None = Field(default=None, description="How its flows are drawn; without it, as the next free style.")

    @model_validator(mode="after")
    def _tcp_probe_has_a_port(self) -> Self:
        if isinstance(self.probe, TcpProbe) and (self.port is None or self.protocol != "tcp"):
            raise ValueError("a tcp probe needs a tcp port to connect to")
        return self

    @model_validator(mode="after")
    def _administration_has_an_account(self) -> Self:
        if self.provides == "administration" and self.account is None:
            raise ValueError("administrators come in as some account of the host: say which")
        return self


class CertificateProfile(Strict):
    """What a certificate of this profile may be used for; the profile's name is its OU, which servers check."""

    usages: list[Usage] = Field(min_length=1, description="Extended key usages (RFC 5280 4.2.1.12).")

    @property
    def serves(self) -> bool:
        """Whether a certificate of this profile proves a server."""
        return "serverAuth" in self.usages

    @model_validator(mode="after")
    def _serves_or_calls(self) -> Self:
        if {"serverAuth", "clientAuth"} <= set(self.usages):
            raise ValueError(
                "a profile is for servers or for clients: whoever took a server's key could call in its name otherwise"
            )
        return self


class Certificate(Strict):
    """A key and certificate that the role's service needs, at /etc/pacslab/tls/<name>.{key,crt,pem}."""

    profile: Name = Field(description="A profile that some role declares under certificate_profiles.")
    owner: str = "root"
    group: str = "root"
    reload: list[str] = Field(
        default_factory=list, description="Units to reload or restart when certificate or CRL changes."
    )
    asked: Name | None = Field(
        default=None, description="Only hosts with a role that asks for this service hold the certificate."
    )
    opens: bool = Field(
        default=False,
        description="Programs of the host open connections with it: what an intruder on the host would take.",
    )


class PersonalSecret(Strict):
    """A secret that the lab makes for each person of its site: a password, or what a second factor is made from."""

    kind: Literal["password"] | SecondFactor = Field(
        description="A password, which everybody has; or a second factor, for the people who sign in with it."
    )
    purpose: Reason = Field(description="What it is for.")
    of: Literal["people", "visitors"] = Field(
        default="people", description="Whose: of the site's own people, or of the partners' whose sign-on the host is."
    )

    def belongs_to(self, person: Person) -> bool:
        """Whether a person has one."""
        return self.kind in ("password", person.second_factor)


class PythonPackages(Strict):
    """Pinned Python packages of a role's image."""

    pins: str = Field(description="The list of exact pins, within the role's folder; 'make lock' writes it.")
    extra: str = Field(description="The extra of pyproject.toml that is pinned there, with all that it needs.")


class Function(Strict):
    """What a host with this role may be in the hospital's work; scenarios ask for it instead of a host's name."""

    meaning: str = Field(min_length=1, description="What people use the host for, in one line.")
    single: bool = Field(default=True, description="A site has one such host at most.")


class Memory(Strict):
    """Memory of the machine, in megabytes: the sum over a host's roles is the host's."""

    needs: int = Field(default=0, ge=0, description="What its programs take while the hospital works as usual.")
    most: int = Field(default=0, ge=0, description="What they may take: a host that wants more is not given it.")

    @model_validator(mode="after")
    def _may_take_what_it_needs(self) -> Self:
        if self.most < self.needs:
            raise ValueError("what a role may take at most is less than what it needs")
        return self

    def __add__(self, other: Memory) -> Memory:
        """Both together."""
        return Memory(needs=self.needs + other.needs, most=self.most + other.most)


UNSAID = 256
"""Megabytes that the programs of a role with services may take, where it does not say what they need."""


class RoleMeta(Strict):
    """What the site's description, the engine and the PKI need to know of a role."""

    summary: str = Field(min_length=1)
    services: dict[Name, Service] = Field(default_factory=dict)
    certificate_profiles: dict[Name, CertificateProfile] = Field(
        default_factory=dict,
        description="Profiles by name: declared by the role that checks them, used by others by their name.",
    )
    certificates: dict[Name, Certificate] = Field(default_factory=dict)
    secrets: dict[SecretName, Reason] = Field(
        default_factory=dict,
        description="Passwords that the lab makes, one for each host with the role, and what each is for. "
        "Templates read trust_secrets.<name>[host_name].",
    )
    secrets_of_people: dict[SecretName, PersonalSecret] = Field(
        default_factory=dict,
        description="Secrets that the lab makes where a host has the role, one for each person, and what each is for. "
        "Templates read trust_secrets.<name>[person].",
    )
    asks: dict[Name, dict[Name, list[str]]] = Field(
        default_factory=dict,
        description="What the role asks of a service, of its own host or of one that it has a flow to: "
        "by service, then by a word that the service takes. Without words, that it is there.",
    )
    opens_as: list[Account] = Field(
        default_factory=list,
        description="Accounts as which its programs open what it asks for on its host; no other's may, but root's.",
    )
    functions: dict[Name, Function] = Field(
        default_factory=dict, description="Functions that only hosts with this role may state."
    )
    capabilities: dict[Capability, Reason] = Field(
        default_factory=dict,
        description="Linux capabilities that a host with the role needs, each with what fails without it.",
    )
    storage: dict[Folder, Reason] = Field(
        default_factory=dict,
        description="Folders that must be writable and have room, each with what fails when one is full.",
    )
    devices: dict[Device, Reason] = Field(
        default_factory=dict,
        description="Device files of the machine that a host with the role needs, each with what for.",
    )
    mirror: Reason | None = Field(
        default=None,
        description="What the role does with a copy of other zones' frames; only a host with such a role has a mirror, "
        "and it must have one.",
    )
    memory: Memory | None = Field(
        default=None,
        description="Memory that the role's programs add to a host, and to its limit; of one with services that does "
        f"not say it, up to {UNSAID} megabytes.",
    )
    python_packages: PythonPackages | None = Field(
        default=None, description="Python packages that the driver fetches as wheels for the role's image."
    )
    npm_packages: str | None = Field(
        default=None,
        description="The list of npm packages of the role's image, within its folder: by name, version and integrity.",
    )
    after: list[RoleName] = Field(
        default_factory=list,
        description="Roles that come first where a host has both: in its list, and when it is configured.",
    )
    sources: list[str] = Field(
        default_factory=list,
        description="Files outside the role, relative to the repository, that its image is made of.",
    )

    @model_validator(mode="after")
    def _a_secret_is_of_hosts_or_of_people(self) -> Self:
        both = sorted(self.secrets.keys() & self.secrets_of_people.keys())
        if both:
            raise ValueError(f"a secret is one of hosts or one of people: {', '.join(both)}")
        return self

    @property
    def own_memory(self) -> Memory:
        """What its programs add to a host."""
        if self.memory is not None:
            return self.memory
        return Memory(most=UNSAID if self.services else 0)


Catalog = dict[RoleName, RoleMeta]

"""What each role brings to a site: services, probes and certificates (``roles/*/meta/pacslab.yml``)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, ValidationError, model_validator

from lab.topology.model import Name, RoleName, Strict
from lab.topology.problems import Problem, TopologyError
from lab.topology.shape import shape_problems
from lab.topology.source import read_source

ROLES_DIR = Path(__file__).resolve().parents[2] / "roles"


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


Probe = Annotated[UnitProbe | TcpProbe | CommandProbe, Field(discriminator="kind")]


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

    @model_validator(mode="after")
    def _tcp_probe_has_a_port(self) -> Self:
        if isinstance(self.probe, TcpProbe) and (self.port is None or self.protocol != "tcp"):
            raise ValueError("a tcp probe needs a tcp port to connect to")
        return self


class Certificate(Strict):
    """A key and certificate that the role's service needs, at /etc/pacslab/tls/<name>.{key,crt,pem}."""

    profile: Literal["dicom-node", "hl7-node", "syslog-node", "web", "database", "database-client", "ocsp-signer"]
    owner: str = "root"
    group: str = "root"
    reload: list[str] = Field(
        default_factory=list, description="Units to reload or restart when certificate or CRL changes."
    )


class RoleMeta(Strict):
    """What the site's description needs to know of a role."""

    summary: str = Field(min_length=1)
    services: dict[Name, Service] = Field(default_factory=dict)
    certificates: dict[Name, Certificate] = Field(default_factory=dict)
    sources: list[str] = Field(
        default_factory=list,
        description="Files outside the role, relative to the repository, that its image is made of.",
    )


Catalog = dict[RoleName, RoleMeta]


def read_catalog(roles_dir: Path = ROLES_DIR) -> tuple[Catalog, list[Problem]]:
    """Read ``meta/pacslab.yml`` of every role; return what could be read, and the mistakes."""
    catalog: Catalog = {}
    problems: list[Problem] = []
    for path in sorted(roles_dir.glob("*/meta/pacslab.yml")):
        source = read_source(path)
        problems += source.problems
        if source.problems:
            continue
        try:
            catalog[path.parents[1].name] = RoleMeta.model_validate(source.data if source.data is not None else {})
        except ValidationError as error:
            problems += shape_problems(source, RoleMeta, error)
    return catalog, problems


def load_catalog(roles_dir: Path = ROLES_DIR) -> Catalog:
    """Read ``meta/pacslab.yml`` of every role.

    Raises:
        TopologyError: a role's file does not follow :class:`RoleMeta`.
    """
    catalog, problems = read_catalog(roles_dir)
    if problems:
        raise TopologyError(problems)
    return catalog

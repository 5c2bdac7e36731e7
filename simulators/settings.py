"""What a simulator knows of its own host and its peers: ``/etc/pacslab/simulator.json``, typed."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simulators.errors import NotFoundError, NotReadyError

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT_PATH = Path("/etc/pacslab/simulator.json")
PATH_VARIABLE = "PACSLAB_SIMULATOR_CONFIG"


@dataclass(frozen=True)
class ThisHost:
    """The host that the simulator runs on."""

    name: str
    fqdn: str
    address: str
    ae_title: str | None
    modality: str | None
    roles: tuple[str, ...]


@dataclass(frozen=True)
class Site:
    """The site that the host belongs to."""

    name: str
    domain: str


@dataclass(frozen=True)
class Certificate:
    """One of the host's certificates (with its issuing CA) and its key."""

    certificate: Path
    key: Path


@dataclass(frozen=True)
class Trust:
    """Whom the host believes, and with what it identifies itself."""

    ca: Path
    crl: Path
    certificates: Mapping[str, Certificate]


@dataclass(frozen=True)
class Peer:
    """A service of another host that this host may open; TLS verifies that it proves `identity`."""

    name: str
    fqdn: str
    address: str
    ae_title: str | None
    roles: tuple[str, ...]
    service: str
    port: int
    permits: tuple[str, ...]
    identity: str = ""
    functions: tuple[str, ...] = ()


@dataclass(frozen=True)
class Caller:
    """Another host that may open a service of this host, and what it may ask there."""

    name: str
    fqdn: str
    address: str
    ae_title: str | None
    modality: str | None
    service: str
    permits: tuple[str, ...]
    functions: tuple[str, ...] = ()
    performs_as: tuple[str, ...] = ()
    """AE titles that its procedure steps may name as performing, besides its own."""


@dataclass(frozen=True)
class HL7:
    """How HL7 messages are taken; ``processing_ids`` are the values of MSH-11 (table 0103) that are."""

    processing_ids: tuple[str, ...] = ("P",)


@dataclass(frozen=True)
class Settings:
    """Everything in ``simulator.json``."""

    host: ThisHost
    site: Site
    tls: Trust
    listen: Mapping[str, int]
    peers: tuple[Peer, ...]
    callers: tuple[Caller, ...]
    hl7: HL7 = HL7()
    sign_on_redirect: str = ""
    """The loopback address that the sign-on has for this host's commands (RFC 8252 7.3); empty where it has none."""

    def find_peers(
        self, service: str, *, role: str | None = None, name: str | None = None, permit: str | None = None
    ) -> list[Peer]:
        """Return the peers whose `service` this host may open, in the site's order."""
        return [
            peer
            for peer in self.peers
            if peer.service == service
            and (role is None or role in peer.roles)
            and (name is None or peer.name == name)
            and (permit is None or permit in peer.permits)
        ]

    def peer(
        self, service: str, *, role: str | None = None, name: str | None = None, permit: str | None = None
    ) -> Peer:
        """Return the first peer that :meth:`find_peers` finds.

        Raises:
            NotFoundError: no flow of the site lets this host open such a service.
        """
        found = self.find_peers(service, role=role, name=name, permit=permit)
        if not found:
            wanted = " ".join(
                f"{word}={value}" for word, value in (("role", role), ("name", name), ("permit", permit)) if value
            )
            raise NotFoundError(
                f"{self.host.name} has no peer with service {service} {wanted}".rstrip(),
                remedy="The site's flows say whom a host may call; add one to topology.yml and configure again.",
            )
        return found[0]

    def find_callers(self, service: str, *, permit: str | None = None) -> list[Caller]:
        """Return the hosts that may open `service` here, and may ask `permit` when it is given."""
        return [
            caller
            for caller in self.callers
            if caller.service == service and (permit is None or permit in caller.permits)
        ]

    def port(self, service: str) -> int:
        """Return the loopback port on which this host's `service` listens.

        Raises:
            NotReadyError: the host's roles bring no such service.
        """
        if service not in self.listen:
            raise NotReadyError(
                f"{self.host.name} has no port for service {service}",
                remedy=f"Look at `listen` in {DEFAULT_PATH}; ports stand in roles/*/meta/pacslab.yml.",
            )
        return self.listen[service]


def load(path: Path | None = None) -> Settings:
    """Read the settings; :data:`PATH_VARIABLE` in the environment names another file.

    Raises:
        NotReadyError: the file is missing or not of the expected form.
    """
    where = path or Path(os.environ.get(PATH_VARIABLE, DEFAULT_PATH))
    try:
        return parse(json.loads(where.read_text("utf-8")))
    except OSError as error:
        raise NotReadyError(
            f"cannot read {where}: {error.strerror}", remedy="Configure the host with the playbook site.yml."
        ) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise NotReadyError(
            f"{where} does not have the expected form: {error!r}",
            remedy="Configure the host with the playbook site.yml.",
        ) from error


def parse(data: Mapping[str, Any]) -> Settings:
    """Build the settings from the parsed JSON; a missing key raises :class:`KeyError`."""
    host, tls = data["host"], data["tls"]
    return Settings(
        host=ThisHost(
            name=host["name"],
            fqdn=host["fqdn"],
            address=host["address"],
            ae_title=host.get("ae_title"),
            modality=host.get("modality"),
            roles=tuple(host.get("roles", ())),
        ),
        site=Site(name=data["site"]["name"], domain=data["site"]["domain"]),
        tls=Trust(
            ca=Path(tls["ca"]),
            crl=Path(tls["crl"]),
            certificates={
                name: Certificate(Path(entry["certificate"]), Path(entry["key"]))
                for name, entry in tls["certificates"].items()
            },
        ),
        listen={name: int(port) for name, port in data["listen"].items()},
        peers=tuple(_peer(entry) for entry in data["peers"]),
        callers=tuple(_caller(entry) for entry in data["callers"]),
        hl7=HL7(**{name: tuple(values) for name, values in data.get("hl7", {}).items()}),
        sign_on_redirect=str(data.get("sign_on_redirect", "")),
    )


def _peer(entry: Mapping[str, Any]) -> Peer:
    return Peer(
        name=entry["name"],
        fqdn=entry["fqdn"],
        address=entry["address"],
        ae_title=entry.get("ae_title"),
        roles=tuple(entry.get("roles", ())),
        service=entry["service"],
        port=int(entry["port"]),
        identity=entry["identity"],
        permits=tuple(entry.get("permits", ())),
        functions=tuple(entry.get("functions", ())),
    )


def _caller(entry: Mapping[str, Any]) -> Caller:
    return Caller(
        name=entry["name"],
        fqdn=entry["fqdn"],
        address=entry["address"],
        ae_title=entry.get("ae_title"),
        modality=entry.get("modality"),
        service=entry["service"],
        permits=tuple(entry.get("permits", ())),
        functions=tuple(entry.get("functions", ())),
        performs_as=tuple(entry.get("performs_as", ())),
    )

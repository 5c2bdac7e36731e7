"""What the containers of foreign devices are to be: a place in the network, or a user's image as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lab.engine import names
from lab.engine.memory import PLACE, limits
from lab.engine.spec import LOGS, Spec, host_spec, interfaces_of, seal
from lab.engine.sysctls import LAB

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from lab.engine.spec import Cgroups
    from lab.topology.site import Site

BUNDLES = "bundles"
"""Where a lab's folder keeps what is handed over to devices."""


def bundle_folder(folder: Path, host: str) -> Path:
    """Where the certificates of a device are kept as a bundle to hand over."""
    return folder / BUNDLES / host


def described_specs(lab: str, site: Site, images: Mapping[str, str], cgroups: Cgroups, folder: Path) -> dict[str, Spec]:
    """The containers of every host, by host name, and of devices beside one, by the name of these."""
    specs: dict[str, Spec] = {}
    for name, host in site.hosts.items():
        if not host.foreign:
            specs[name] = host_spec(lab, site, name, images[name], cgroups)
        elif host.device is None or host.device.image is None:
            specs[name] = _place_spec(lab, site, name, images[names.FABRIC])
        else:
            specs[name] = _device_spec(lab, site, name, images[name], folder)
        if not host.foreign and host.device is not None and host.device.image is not None:
            beside = names.device(name)
            specs[beside] = _device_spec(lab, site, name, images[beside], folder)
    return specs


def _place_spec(lab: str, site: Site, host: str, image: str) -> Spec:
    """A container that holds a network and does nothing: programs of the machine run in its place in the network."""
    body: dict[str, Any] = {
        "Image": image,
        "Hostname": host,
        "Entrypoint": ["sleep", "infinity"],
        "Cmd": [],
        "StopSignal": "SIGKILL",
        "HostConfig": {
            "NetworkMode": "none",
            "CapDrop": ["ALL"],
            "SecurityOpt": ["no-new-privileges"],
            "ReadonlyRootfs": True,
            "ExtraHosts": _names(site),
            "Sysctls": LAB,
            "PidsLimit": 16,
            **limits(PLACE),
            "LogConfig": {"Type": "none"},
        },
    }
    return seal(names.container(lab, host), body, _labels(lab, site, host), interfaces_of(site, host))


def _device_spec(lab: str, site: Site, host: str, image: str, folder: Path) -> Spec:
    """A user's image: Docker's own capabilities, profiles and limits, no new privileges, no network but its zone.

    Beside a host of ours it shares that one's network: it hears and says nothing that does not pass through there.
    """
    entry = site.hosts[host]
    assert entry.device is not None  # noqa: S101 # the caller has looked
    config: dict[str, Any] = {
        "SecurityOpt": ["no-new-privileges"],
        "PidsLimit": 2048,
        **limits(entry.device.memory),
        "LogConfig": LOGS,
    }
    body: dict[str, Any] = {
        "Image": image,
        "Env": [f"{name}={value}" for name, value in sorted(entry.device.environment.items())],
        "HostConfig": config,
    }
    if entry.device.command is not None:
        body["Cmd"] = list(entry.device.command)
    if entry.device.bundle is not None:
        config["Binds"] = [f"{bundle_folder(folder, host)}:{entry.device.bundle}:ro"]
    if not entry.foreign:  # names, addresses and settings are those of the host that it is beside
        config["NetworkMode"] = f"container:{names.container(lab, host)}"
        beside = names.device(host)
        return seal(names.container(lab, beside), body, _labels(lab, site, beside), [])
    body["Hostname"] = host
    config |= {
        "NetworkMode": "none",
        "ExtraHosts": _names(site),
        "Dns": ["127.0.0.1"],
        "DnsSearch": [site.topology.domain],
        "Sysctls": LAB,
    }
    return seal(names.container(lab, host), body, _labels(lab, site, host), interfaces_of(site, host))


def _names(site: Site) -> list[str]:
    """The site's hosts as Docker writes them into /etc/hosts."""
    return [f"{name}:{entry.address}" for host, entry in site.hosts.items() for name in (site.fqdn(host), host)]


def _labels(lab: str, site: Site, host: str) -> dict[str, str]:
    return {names.LAB: lab, names.SITE: site.name, names.HOST: host}

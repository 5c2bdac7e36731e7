"""Containers of foreign devices: their images, and those that share the network of a host of ours."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from lab.engine import names
from lab.engine.client import NotFoundError
from lab.errors import UsageError

if TYPE_CHECKING:
    from lab.engine.client import Docker
    from lab.topology.site import Site


def devices_beside(site: Site) -> dict[str, str]:
    """Devices that share the network of a host of ours: what they are called, by host."""
    return {
        name: names.device(name)
        for name, host in site.managed.items()
        if host.device is not None and host.device.image is not None
    }


def device_images(docker: Docker, site: Site) -> dict[str, str]:
    """The id of each device's image, by the name of its container among the lab's.

    Raises:
        UsageError: the machine does not have one. Nothing is fetched: whose image it is and whether to trust it is
            the user's to say.
    """
    found: dict[str, str] = {}
    beside = devices_beside(site)
    for name, host in site.hosts.items():
        if host.device is None or host.device.image is None:
            continue
        try:
            image = docker.call("GET", f"/images/{quote(host.device.image, safe='')}/json")
        except NotFoundError as error:
            raise UsageError(
                f"{name}: this machine has no image {host.device.image}.",
                remedy=f"Fetch it ('docker pull {host.device.image}'), load it ('docker load'), or build it.",
            ) from error
        found[beside.get(name, name)] = str(image["Id"])
    return found


def stop_cut_off(docker: Docker, lab: str, site: Site) -> None:
    """Stop devices whose host was started after them: they hold a network that is gone, and are to start again."""
    for host, beside in devices_beside(site).items():
        there = docker.inspect_all([names.container(lab, host), names.container(lab, beside)])
        device = there.get(names.container(lab, beside))
        if device is None or not device["State"]["Running"]:
            continue
        if _started(device) < _started(there[names.container(lab, host)]):
            docker.stop(names.container(lab, beside), STOP_SECONDS)


def _started(container: dict[str, dict[str, str]]) -> str:
    """When a container was started; RFC 3339 in UTC with nanoseconds, whose trailing zeros Go leaves out."""
    whole, _, fraction = container["State"]["StartedAt"].rstrip("Z").partition(".")
    return f"{whole}.{fraction:0<9}"


STOP_SECONDS = 10
"""What Docker gives a container by default; a device is not ours to wait for any longer."""

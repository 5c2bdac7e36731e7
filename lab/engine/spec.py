"""What the containers of a lab are to be: everything that Docker is told, and a digest of it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lab.engine import names
from lab.engine.keeping import PUT_BACK
from lab.engine.memory import FABRIC, limits
from lab.engine.sysctls import LAB, sysctls_of

if TYPE_CHECKING:
    from lab.topology.site import Site

STOP_SIGNAL = "SIGRTMIN+3"
"""systemd as process 1 shuts down cleanly on it; on Docker's own default it does nothing until it is killed."""

PORT_LOG = Path(__file__).with_name("port_log.py")
AGAIN = 'while :; do python3 -ISc "$1"; sleep 1; done'
"""The network goes with the fabric's first process, so that is none that could end by a mistake."""

LOGS = {"Type": "json-file", "Config": {"max-size": "1m", "max-file": "1"}}
"""What a container prints is kept, up to 1 MB."""

FABRIC_CAPABILITIES = (
    "NET_ADMIN",
    "NET_RAW",  # put forged frames on cables: `pacslab verify segmentation`
    "SYS_ADMIN",  # enter the network namespaces of hosts
    "SYS_PTRACE",  # look at hosts through /proc/<pid>
)

REDIRECTS = (
    "mount -o remount,bind,rw /proc/sys && echo 0 > /proc/sys/net/ipv4/conf/all/accept_redirects"
    " && mount -o remount,bind,ro /proc/sys"
)
"""Docker writes settings in no order, and switching ip_forward off switches this one on: so it is written once more."""


@dataclass(frozen=True)
class Cgroups:
    """The machine's control group version, 1 or 2; it decides how systemd gets a hierarchy that it may write."""

    version: int


@dataclass(frozen=True)
class Spec:
    """One container: what Docker is told, and a digest by which a changed description is noticed."""

    name: str
    body: dict[str, Any]
    digest: str


def host_spec(lab: str, site: Site, host: str, image: str, cgroups: Cgroups) -> Spec:
    """The container of a host: it can do what its roles need, and no more."""
    entry = site.hosts[host]
    body: dict[str, Any] = {
        "Image": image,
        "Hostname": host,
        "Env": ["container=docker"],
        "StopSignal": STOP_SIGNAL,
        "HostConfig": {
            "NetworkMode": "none",
            "CapDrop": ["ALL"],
            "CapAdd": list(site.capabilities(host)),  # ports below 1024 need none (lab.engine.sysctls)
            "Devices": [_device(path) for path in site.devices(host)],
            # systemd mounts and makes namespaces, which both profiles refuse; the capabilities are the limit
            "SecurityOpt": ["seccomp=unconfined", "apparmor=unconfined"],
            "Tmpfs": {"/run": "rw,nosuid,nodev,mode=755,size=256m", "/run/lock": "rw,nosuid,nodev,noexec,size=5m"},
            "Sysctls": sysctls_of(entry.roles),
            # nothing answers there, so a name that /etc/hosts does not hold fails at once
            "Dns": ["127.0.0.1"],
            "DnsSearch": [site.topology.domain],
            "PidsLimit": 2048,
            **limits(site.memory(host).most),
            "LogConfig": LOGS,
        },
    }
    _boot(body, cgroups)
    labels = {names.LAB: lab, names.SITE: site.name, names.HOST: host}
    return seal(names.container(lab, host), body, labels, interfaces_of(site, host))


def fabric_spec(lab: str, site: Site, image: str) -> Spec:
    """The container that holds the network: it sees the machine's processes, and has no network of its own."""
    body: dict[str, Any] = {
        "Image": image,
        "Hostname": names.FABRIC,
        "Entrypoint": ["sh", "-c", AGAIN, "sh", PORT_LOG.read_text("utf-8")],
        "Cmd": [],
        "StopSignal": "SIGKILL",
        "HostConfig": {
            "NetworkMode": "none",
            "PidMode": "host",
            "CapDrop": ["ALL"],
            "CapAdd": list(FABRIC_CAPABILITIES),
            "SecurityOpt": ["apparmor=unconfined"],
            "Sysctls": LAB,
            "ReadonlyRootfs": True,
            "Tmpfs": {"/run": "rw,nosuid,nodev,noexec,mode=755,size=4m"},
            **limits(FABRIC),
            "CpuShares": 16384,  # the network is joined while all hosts boot and want the processor
            "LogConfig": {"Type": "json-file", "Config": {"max-size": "1m", "max-file": "2"}},
        },
    }
    return seal(names.fabric(lab), body, {names.LAB: lab, names.SITE: site.name, names.PART: names.FABRIC}, [])


def interfaces_of(site: Site, host: str) -> list[list[Any]]:
    """What of a host's interfaces its container depends on."""
    return [[interface.name, str(interface.address), interface.prefix] for interface in site.interfaces(host)]


def owned(spec: Spec, folder: Path) -> Spec:
    """The same container, labelled with the folder that its lab's files are in; where that is changes no digest."""
    labels = {**spec.body["Labels"], names.FOLDER: str(folder)}
    return replace(spec, body={**spec.body, "Labels": labels})


def _device(path: str) -> dict[str, str]:
    """A device of the machine, at the same place on the host; the host may read and write it, not make another."""
    return {"PathOnHost": path, "PathInContainer": path, "CgroupPermissions": "rw"}


def _boot(body: dict[str, Any], cgroups: Cgroups) -> None:
    """Let systemd start as process 1, with a hierarchy of control groups that it may write."""
    config = body["HostConfig"]
    # as systemd has it on a real machine: services in a mount namespace of their own see what is mounted later
    first = [PUT_BACK, REDIRECTS, "mount --make-rshared /"]
    if cgroups.version == 1:
        # systemd 256 and newer start on version 1 only when told so, and there is no namespace that holds its own part
        config["CgroupnsMode"] = "host"
        config["Binds"] = ["/sys/fs/cgroup:/sys/fs/cgroup:rw"]
        body["Env"].append("SYSTEMD_CGROUP_ENABLE_LEGACY_FORCE=1")
    else:
        # in its own namespace a host sees its own part alone; Docker mounts it read-only unless it is privileged. With
        # "bind" only this mount changes, not the options of the file system, which are the machine's.
        config["CgroupnsMode"] = "private"
        first.append("mount -o remount,bind,rw /sys/fs/cgroup")
    body["Cmd"] = ["/bin/sh", "-c", " && ".join([*first, "exec /sbin/init"])]


def seal(name: str, body: dict[str, Any], labels: dict[str, str], interfaces: list[list[Any]]) -> Spec:
    """Label the container with a digest of the image, everything Docker is told, and its interfaces."""
    text = json.dumps([body, labels, interfaces], sort_keys=True)
    digest = hashlib.sha256(text.encode()).hexdigest()[:16]
    return Spec(name, {**body, "Labels": {**labels, names.SPEC: digest}}, digest)

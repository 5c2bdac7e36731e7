"""What the containers of a lab are to be: everything that Docker is told, and a digest of it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lab.engine import names

if TYPE_CHECKING:
    from lab.topology.site import Site

STOP_SIGNAL = "SIGRTMIN+3"
"""systemd as process 1 shuts down cleanly on it; on Docker's own default it does nothing until it is killed."""

HOST_CAPABILITIES = (
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "KILL",
    "NET_ADMIN",  # each host's nftables
    "NET_BIND_SERVICE",
    "SETGID",
    "SETPCAP",  # units drop capabilities
    "SETUID",
    "SYS_ADMIN",  # systemd mounts: private folders, read-only system
    "SYS_CHROOT",  # HAProxy
)
FABRIC_CAPABILITIES = (
    "NET_ADMIN",
    "SYS_ADMIN",  # enter the network namespaces of hosts
    "SYS_PTRACE",  # look at hosts through /proc/<pid>
)


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
    """The container of a host."""
    entry = site.hosts[host]
    body: dict[str, Any] = {
        "Image": image,
        "Hostname": host,
        "Env": ["container=docker"],
        "Cmd": ["/sbin/init"],
        "StopSignal": STOP_SIGNAL,
        "HostConfig": {
            "NetworkMode": "none",
            "CapDrop": ["ALL"],
            "CapAdd": list(HOST_CAPABILITIES),
            # systemd mounts and makes namespaces, which both profiles refuse; the capabilities are the limit
            "SecurityOpt": ["seccomp=unconfined", "apparmor=unconfined"],
            "Tmpfs": {"/run": "rw,nosuid,nodev,mode=755,size=256m", "/run/lock": "rw,nosuid,nodev,noexec,size=5m"},
            "Sysctls": _sysctls(gateway=entry.gateway),
            # nothing answers there, so a name that /etc/hosts does not hold fails at once
            "Dns": ["127.0.0.1"],
            "DnsSearch": [site.topology.domain],
            "PidsLimit": 2048,
            "LogConfig": {"Type": "json-file", "Config": {"max-size": "1m", "max-file": "1"}},
        },
    }
    _give_cgroups(body, cgroups)
    interfaces = [[one.name, str(one.address), one.prefix] for one in site.interfaces(host)]
    return _seal(
        names.container(lab, host), body, {names.LAB: lab, names.SITE: site.name, names.HOST: host}, interfaces
    )


def fabric_spec(lab: str, site: Site, image: str) -> Spec:
    """The container that holds the network: it sees the machine's processes, and has no network of its own."""
    body: dict[str, Any] = {
        "Image": image,
        "Hostname": names.FABRIC,
        "Entrypoint": ["sleep", "infinity"],
        "Cmd": [],
        "StopSignal": "SIGKILL",
        "HostConfig": {
            "NetworkMode": "none",
            "PidMode": "host",
            "CapDrop": ["ALL"],
            "CapAdd": list(FABRIC_CAPABILITIES),
            "SecurityOpt": ["apparmor=unconfined"],
            "Sysctls": {"net.ipv6.conf.all.disable_ipv6": "1", "net.ipv6.conf.default.disable_ipv6": "1"},
            "ReadonlyRootfs": True,
            "CpuShares": 16384,  # the network is joined while all hosts boot and want the processor
            "LogConfig": {"Type": "none"},
        },
    }
    return _seal(names.fabric(lab), body, {names.LAB: lab, names.SITE: site.name, names.PART: names.FABRIC}, [])


def _sysctls(*, gateway: bool) -> dict[str, str]:
    """Network settings, which a container cannot change by itself: /proc/sys is read-only there."""
    settings = {
        "net.ipv6.conf.all.disable_ipv6": "1",
        "net.ipv6.conf.default.disable_ipv6": "1",
        "net.ipv4.conf.all.accept_redirects": "0",
        "net.ipv4.conf.default.accept_redirects": "0",
        "net.ipv4.conf.all.send_redirects": "0",
        "net.ipv4.conf.default.send_redirects": "0",
        "net.ipv4.conf.all.accept_source_route": "0",
        "net.ipv4.conf.default.accept_source_route": "0",
        "net.ipv4.conf.all.rp_filter": "1",
        "net.ipv4.conf.default.rp_filter": "1",
    }
    # set on every host: the order of Docker's settings is not ours, and ip_forward resets some of the others
    return {**settings, "net.ipv4.ip_forward": "1" if gateway else "0"}


def _give_cgroups(body: dict[str, Any], cgroups: Cgroups) -> None:
    config = body["HostConfig"]
    if cgroups.version == 1:
        config["CgroupnsMode"] = "host"
        config["Binds"] = ["/sys/fs/cgroup:/sys/fs/cgroup:rw"]
        body["Env"].append("SYSTEMD_CGROUP_ENABLE_LEGACY_FORCE=1")
        return
    config["CgroupnsMode"] = "private"
    # Docker mounts the container's own hierarchy read-only unless it is privileged
    body["Cmd"] = ["/bin/sh", "-c", "mount -o remount,rw /sys/fs/cgroup && exec /sbin/init"]


def _seal(name: str, body: dict[str, Any], labels: dict[str, str], interfaces: list[list[Any]]) -> Spec:
    """Label the container with a digest of the image, everything Docker is told, and its interfaces."""
    text = json.dumps([body, labels, interfaces], sort_keys=True)
    digest = hashlib.sha256(text.encode()).hexdigest()[:16]
    return Spec(name, {**body, "Labels": {**labels, names.SPEC: digest}}, digest)

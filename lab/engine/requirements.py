"""What a machine needs to run labs, each with what was found and how to put it right."""

from __future__ import annotations

import gzip
import os
import platform
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lab.engine.memory import MEGABYTE
from lab.engine.spec import Cgroups
from lab.errors import MachineNotReadyError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lab.engine.client import Docker
    from lab.engine.memory import Asked

DISK_GB = 10
LIMITS = {
    # each systemd watches its units and control groups: 25 hosts exhaust the default of 128
    "fs.inotify.max_user_instances": 8192,
    # each unit has a key ring of its own, counted per user over all hosts: the default is 200
    "kernel.keys.maxkeys": 2000,
}
KERNEL = {
    "bridge": ("CONFIG_BRIDGE", "zones need it"),
    "veth": ("CONFIG_VETH", "links of hosts need it"),
    "nf_tables": ("CONFIG_NF_TABLES", "firewalls need it"),
    "nft_fib_inet": ("CONFIG_NFT_FIB_INET", "the firewall looks with it where a packet's source lies"),
    "nfnetlink_log": ("CONFIG_NETFILTER_NETLINK_LOG", "the log of refusals needs it"),
}
OLDEST_API = (1, 41)


@dataclass(frozen=True)
class Finding:
    """One requirement: whether it is met, what was found, and what to do when it is not."""

    name: str
    met: bool
    found: str
    remedy: str


def examine(docker: Docker, *, building: bool = True, memory: Asked | None = None) -> Iterator[Finding]:
    """Look at every requirement; those of building images can be left out, and so can what a site asks for."""
    try:
        info = docker.info()
    except MachineNotReadyError as error:
        yield Finding("docker", met=False, found=error.message, remedy=error.remedy)
        return
    yield _engine(docker)
    yield _cgroups(info)
    yield from map(_limit, LIMITS.items())
    yield from map(_kernel, KERNEL.items())
    yield _memory_limits(info)
    if memory is not None:
        yield _memory(info, memory)
    yield _disk(info)
    if building:
        yield _builder()


def require(docker: Docker, devices: Iterable[str] = ()) -> Cgroups:
    """Make sure that hosts can run here, and that the machine has these device files, which hosts are given.

    Raises:
        MachineNotReadyError: they cannot; every reason is told, with its remedy.
    """
    findings = [*examine(docker, building=False), *map(_device, devices)]
    unmet = [finding for finding in findings if not finding.met]
    if unmet:
        raise MachineNotReadyError(
            "This machine is not ready: " + "; ".join(f"{finding.name}: {finding.found}" for finding in unmet),
            remedy=" ".join(dict.fromkeys(finding.remedy for finding in unmet)),
        )
    return cgroups_of(docker)


def cgroups_of(docker: Docker) -> Cgroups:
    """The control groups of the machine, as Docker sees them."""
    return Cgroups(int(docker.info()["CgroupVersion"]))


def _engine(docker: Docker) -> Finding:
    version = docker.call("GET", "/version")
    api = tuple(int(part) for part in version["ApiVersion"].split("."))
    return Finding(
        "docker",
        met=api >= OLDEST_API,
        found=f"engine {version['Version']}, interface {version['ApiVersion']}",
        remedy="Install Docker 20.10 or newer: 'sudo apt install docker.io'.",
    )


def _cgroups(info: dict[str, Any]) -> Finding:
    version = info.get("CgroupVersion", "1")
    met = version == "2" or Path("/sys/fs/cgroup/systemd").is_dir()
    return Finding(
        "control groups",
        met=met,
        found=f"version {version}" + ("" if met else ", without the hierarchy that systemd needs"),
        remedy="Run 'sudo mkdir -p /sys/fs/cgroup/systemd && "
        "sudo mount -t cgroup -o none,name=systemd systemd /sys/fs/cgroup/systemd'.",
    )


def _limit(entry: tuple[str, int]) -> Finding:
    name, needed = entry
    value = int(Path("/proc/sys", *name.split(".")).read_text("ascii"))
    return Finding(name, met=value >= needed, found=f"{value}", remedy=f"Run 'sudo sysctl -w {name}={needed}'.")


def _kernel(entry: tuple[str, tuple[str, str]]) -> Finding:
    module, (option, purpose) = entry
    known = _kernel_has(module, option)
    found = {True: "available", False: "missing", None: "not known: this kernel does not tell"}[known]
    return Finding(
        f"kernel: {module}",
        met=known is not False,
        found=found,
        remedy=f"Boot a kernel with {option}: {purpose}.",
    )


def _kernel_has(module: str, option: str) -> bool | None:
    """Whether the kernel has a feature, built in or as a module; None when the machine keeps no record of it."""
    if Path("/sys/module", module).exists():
        return True
    release = platform.release()
    folder = Path("/lib/modules", release)
    for path in (Path("/proc/config.gz"), Path(f"/boot/config-{release}"), folder / "config"):
        if path.is_file() and os.access(path, os.R_OK):
            text = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
            return any(f"{option}={kind}".encode() in text.split() for kind in "ym")
    lists = [path for path in (folder / "modules.dep", folder / "modules.builtin") if path.is_file()]
    if lists:
        return any(f"/{module}.ko" in path.read_text("utf-8") for path in lists)
    return None


def _device(path: str) -> Finding:
    met = Path(path).is_char_device() or Path(path).is_block_device()
    return Finding(
        f"device: {path}",
        met=met,
        found="there" if met else "not there",
        remedy=f"Load the kernel module that makes {path} (as 'sudo modprobe tun' makes /dev/net/tun), "
        "or take the role that needs it from the site.",
    )


def _memory_limits(info: dict[str, Any]) -> Finding:
    met = bool(info.get("MemoryLimit", True))
    return Finding(
        "memory limits",
        met=met,
        found="available" if met else "the kernel's control groups have none",
        remedy="Boot with cgroup_enable=memory swapaccount=1: a host must not take the memory of all others.",
    )


def _memory(info: dict[str, Any], wanted: Asked) -> Finding:
    has = int(info.get("MemTotal", 0)) // MEGABYTE
    return Finding(
        "memory",
        met=has >= wanted.total,
        found=f"{has / 1024:.1f} GB; the site asks for {wanted}",
        remedy="Give the machine more memory, or take a smaller site (--site small-practice).",
    )


def _disk(info: dict[str, Any]) -> Finding:
    folder = Path(info["DockerRootDir"])
    place = next(parent for parent in (folder, *folder.parents) if parent.exists())
    free = shutil.disk_usage(place).free / 1e9
    return Finding(
        "disk",
        met=free >= DISK_GB,
        found=f"{free:.0f} GB free at {folder}",
        remedy=f"Make room: {DISK_GB} GB are needed. 'docker image prune' and 'pacslab doctor' show what can go.",
    )


def _builder() -> Finding:
    path = shutil.which("mmdebstrap")
    return Finding(
        "mmdebstrap",
        met=path is not None,
        found=path or "not installed",
        remedy="Run 'sudo apt install mmdebstrap': the base image is made with it.",
    )

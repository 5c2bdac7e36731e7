"""What many checks read of a host: one command each, read ahead together, and parsed once.

The commands are the same over every backend. None needs more than a shell, Python and the tools that the thing itself
brings, so that they work on a machine that is no lab too.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from testinfra.host import Host

PROGRAMS = Path(__file__).with_name("programs")


def program(name: str, *arguments: str) -> str:
    """A command that runs a program of ``programs/`` on a host, with its text as input; arguments need no quotes."""
    text = (PROGRAMS / f"{name}.py").read_text("utf-8")
    words = " ".join(("python3 -I -", *arguments))
    return f"{words} <<'PACSLAB_PROGRAM'\n{text}\nPACSLAB_PROGRAM"


PASSWD, SHADOW, GROUP = "cat -- /etc/passwd", "cat -- /etc/shadow", "cat -- /etc/group"
PROCESSES = program("processes")
SOCKETS = "ss --no-header --tcp --udp --listening --numeric"
FILES = program("files")
PACKAGES = r"dpkg-query --show --showformat '${Package}\t${db:Status-Status}\t${Version}\n'"
MOUNTS = "cat -- /proc/mounts"
RULESET = "nft -j list ruleset"
PROPERTIES = (
    "Id,ActiveState,SubState,UnitFileState,Result,NRestarts,User,MainPID,NoNewPrivileges,ProtectSystem,ProtectHome,"
    "PrivateTmp,PrivateDevices,ProtectKernelTunables,ProtectKernelModules,ProtectControlGroups,RestrictSUIDSGID,"
    "RestrictRealtime,RestrictNamespaces,LockPersonality,MemoryDenyWriteExecute,RestrictAddressFamilies,"
    "CapabilityBoundingSet,SystemCallFilter,UMask,FragmentPath,MemoryMax,TasksMax,Type,StartLimitIntervalUSec"
)
UNITS = f"systemctl show --no-pager --property={PROPERTIES} '*.service' '*.timer' '*.socket'"
EXPOSURES = (
    "systemd-analyze security --no-pager $(systemctl show --property=Id --value '*.service') 2>/dev/null"
    " | grep -a 'Overall exposure'"
)
UNIT_FILES = "systemctl list-unit-files --type=service,timer,socket --plain --no-legend --no-pager"
FAILED = "systemctl list-units --state=failed --no-legend --plain --no-pager"


_EXPOSURE = re.compile(r"exposure level for (\S+): ([0-9.]+)")


@dataclass(frozen=True)
class Account:
    """A line of passwd(5), with the password field of shadow(5)."""

    name: str
    uid: int
    gid: int
    home: str
    shell: str
    password: str


@dataclass(frozen=True)
class Process:
    """A process, as /proc shows it; those of the judge itself are left out."""

    pid: int
    ppid: int
    uid: int
    name: str
    unit: str
    arguments: str
    effective: int
    bounding: int
    ambient: int
    no_new_privileges: bool
    seccomp: int


@dataclass(frozen=True)
class Socket:
    """A socket that takes connections or datagrams."""

    protocol: str
    address: str
    port: int

    @property
    def loopback(self) -> bool:
        """Whether only the host itself reaches it."""
        return self.address.startswith("127.") or self.address in {"[::1]", "::1"}

    def __str__(self) -> str:
        """As people write it."""
        return f"{self.protocol}/{self.port} on {self.address}"


@dataclass(frozen=True)
class OddFile:
    """A file that is set-id, writable for everybody, or of a name that opens doors."""

    mode: int
    uid: int
    gid: int
    kind: str
    path: str

    def __str__(self) -> str:
        """As people write it."""
        return f"{self.path} ({self.mode:04o})"


def _read(host: Host, command: str) -> str:
    return str(host.check_output(command))


def accounts(host: Host) -> dict[str, Account]:
    """Every account, by name."""
    return _accounts(_read(host, PASSWD), _read(host, SHADOW))


@lru_cache(maxsize=256)
def _accounts(passwd: str, shadow: str) -> dict[str, Account]:
    passwords = {line.split(":")[0]: line.split(":")[1] for line in shadow.splitlines() if line.count(":") >= 1}
    found = {}
    for line in passwd.splitlines():
        fields = line.split(":")
        if len(fields) == 7:  # noqa: PLR2004 # passwd(5)
            name, password, uid, gid, _, home, shell = fields
            secret = passwords.get(name, "") if password == "x" else password  # noqa: S105 # it stands in shadow then
            found[name] = Account(name, int(uid), int(gid), home, shell, secret)
    return found


def groups(host: Host) -> dict[str, list[str]]:
    """The members of every group, beside those whose own group it is."""
    lines = (line.split(":") for line in _read(host, GROUP).splitlines())
    return {fields[0]: [member for member in fields[3].split(",") if member] for fields in lines}


def processes(host: Host) -> list[Process]:
    """Every process but the judge's own."""
    return _processes(_read(host, PROCESSES))


@lru_cache(maxsize=256)
def _processes(text: str) -> list[Process]:
    return [Process(**entry) for entry in json.loads(text)]


def sockets(host: Host) -> list[Socket]:
    """Every TCP and UDP socket that listens."""
    return _sockets(_read(host, SOCKETS))


@lru_cache(maxsize=256)
def _sockets(text: str) -> list[Socket]:
    found = []
    for line in text.splitlines():
        fields = line.split()
        address, _, port = fields[4].rpartition(":")
        found.append(Socket(fields[0], address.partition("%")[0], int(port)))
    return found


@dataclass(frozen=True)
class Files:
    """What a walk over all of a host's own file systems found.

    Attributes:
        odd: Files that are set-id, writable for everybody, or of a name that opens doors.
        capable: Files with capabilities of their own.
        keys: Files that are named as private keys are.
        owners: The user ids that own files.
        groups: The group ids that own files.
        number: How many files there are.
    """

    odd: tuple[OddFile, ...]
    capable: tuple[str, ...]
    keys: tuple[str, ...]
    owners: frozenset[int]
    groups: frozenset[int]
    number: int


def files(host: Host) -> Files:
    """What a walk over the host's file systems found."""
    return _files(_read(host, FILES))


@lru_cache(maxsize=64)
def _files(text: str) -> Files:
    found = json.loads(text)
    return Files(
        tuple(OddFile(*entry) for entry in found["odd"]),
        tuple(found["capable"]),
        tuple(found["keys"]),
        frozenset(found["owners"]),
        frozenset(found["groups"]),
        found["number"],
    )


def packages(host: Host) -> dict[str, str]:
    """The state of every package that dpkg knows, by name."""
    return _packages(_read(host, PACKAGES))


@lru_cache(maxsize=256)
def _packages(text: str) -> dict[str, str]:
    return {fields[0]: fields[1] for line in text.splitlines() if len(fields := line.split("\t")) == 3}  # noqa: PLR2004 # as asked


def units(host: Host) -> dict[str, dict[str, str]]:
    """The properties of every loaded service, timer and socket, by name."""
    return _units(_read(host, UNITS))


@lru_cache(maxsize=256)
def _units(text: str) -> dict[str, dict[str, str]]:
    found = {}
    for block in text.split("\n\n"):
        pairs = dict(line.partition("=")[::2] for line in block.splitlines())
        if "Id" in pairs:
            found[pairs["Id"]] = pairs
    return found


def unit_files(host: Host) -> dict[str, str]:
    """Whether each service, timer and socket starts at boot, loaded or not: its state, by name."""
    lines = (line.split() for line in _read(host, UNIT_FILES).splitlines())
    return {fields[0]: fields[1] for fields in lines if len(fields) > 1}


def exposures(host: Host) -> dict[str, float]:
    """What systemd makes of the sandbox of every loaded service, by its name: 0 is none exposed, 10 all."""
    return {name: float(level) for name, level in _EXPOSURE.findall(_read(host, EXPOSURES))}


def mounts(host: Host) -> dict[str, list[str]]:
    """The options of every mount, by its place; the last one counts."""
    fields = (line.split() for line in _read(host, MOUNTS).splitlines())
    return {entry[1]: [entry[2], *entry[3].split(",")] for entry in fields}


def ruleset(host: Host) -> list[dict[str, Any]]:
    """The packet filter in force, as nft writes it in JSON."""
    return _ruleset(_read(host, RULESET))


@lru_cache(maxsize=64)
def _ruleset(text: str) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = json.loads(text)["nftables"]
    return entries


# --- capabilities ------------------------------------------------------------------------------

# linux/capability.h
CAPABILITIES = (
    "CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID", "SETPCAP",
    "LINUX_IMMUTABLE", "NET_BIND_SERVICE", "NET_BROADCAST", "NET_ADMIN", "NET_RAW", "IPC_LOCK", "IPC_OWNER",
    "SYS_MODULE", "SYS_RAWIO", "SYS_CHROOT", "SYS_PTRACE", "SYS_PACCT", "SYS_ADMIN", "SYS_BOOT", "SYS_NICE",
    "SYS_RESOURCE", "SYS_TIME", "SYS_TTY_CONFIG", "MKNOD", "LEASE", "AUDIT_WRITE", "AUDIT_CONTROL", "SETFCAP",
    "MAC_OVERRIDE", "MAC_ADMIN", "SYSLOG", "WAKE_ALARM", "BLOCK_SUSPEND", "AUDIT_READ", "PERFMON", "BPF",
    "CHECKPOINT_RESTORE",
)  # fmt: skip
"""By their bit."""


def capability_names(mask: int) -> set[str]:
    """The names in a set of capabilities."""
    return {name for bit, name in enumerate(CAPABILITIES) if mask >> bit & 1}

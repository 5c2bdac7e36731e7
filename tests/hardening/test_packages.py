"""A host holds no tools that an intruder would bring along, and no packages in half a state."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.verify.hardening.allowed import allowed
from lab.verify.hardening.declare import Sabotage, promise
from lab.verify.hardening.facts import PACKAGES, packages
from lab.verify.hardening.sabotages import changed_file

if TYPE_CHECKING:
    from collections.abc import Iterable

    from testinfra.host import Host

    from lab.verify.hardening.declare import Target
    from lab.verify.hardening.expect import Expect

UNWANTED = (
    "gcc", "g++", "clang", "make", "binutils", "gdb", "strace", "ltrace", "build-essential", "perl", "ruby", "nodejs",
    "curl", "wget", "netcat-openbsd", "netcat-traditional", "ncat", "nmap", "tcpdump", "tshark", "socat", "telnet",
    "inetutils-telnet", "telnetd", "rsh-client", "rsh-server", "ftp", "tftp", "tftpd-hpa", "vsftpd", "nis", "talk",
    "xinetd", "openbsd-inetd", "avahi-daemon", "cups", "rpcbind", "nfs-kernel-server", "samba", "snmpd", "exim4",
    "postfix",
    "sudo", "git", "python3-pip", "screen", "tmux", "at", "x11-common",
)  # fmt: skip
"""Compilers, debuggers, clients that fetch, servers of another time (CIS Debian 12, 2.1 and 2.2)."""
PROGRAMS = (
    "gcc",
    "cc",
    "ld",
    "make",
    "gdb",
    "strace",
    "tcpdump",
    "nc",
    "ncat",
    "wget",
    "nmap",
    "socat",
    "telnet",
    "sudo",
    "pip",
)
SOURCES = "grep -rhsE '^(deb|URIs|Types)' /etc/apt/sources.list /etc/apt/sources.list.d || true"
LISTS = "find /var/lib/apt/lists /var/cache/apt/archives -maxdepth 1 -type f ! -name lock | head -20"


def wanted_away(target: Target) -> Iterable[tuple[str, str]]:
    return [(name, name) for name in UNWANTED if name not in allowed(target).packages]


@promise(
    "hardening.packages.unwanted",
    "No compiler, debugger, network client or old server is installed, but where a role needs it.",
    remedy="`apt-get purge` it.",
    each=wanted_away,
    reads=(PACKAGES,),
    sabotage=Sabotage(
        "cp -a /var/lib/dpkg/status /var/lib/dpkg/status.kept && printf '\\nPackage: gcc\\n"
        "Status: install ok installed\\n"
        "Maintainer: x <x@x.invalid>\\nArchitecture: amd64\\nVersion: 1\\nDescription: x\\n' >>/var/lib/dpkg/status",
        "mv /var/lib/dpkg/status.kept /var/lib/dpkg/status",
        on=lambda target: target.value == "gcc",
    ),
)
def test_unwanted_packages_are_not_there(host: Host, subject: str, expect: Expect) -> None:
    found = packages(host)
    expect.some(found, "packages")
    expect.that(found.get(subject) != "installed", "not installed", found.get(subject, "not installed"))


@promise(
    "hardening.packages.tools",
    "Tools that an intruder needs are not found on a host's path, however they came there.",
    remedy="Remove the program.",
    each=lambda target: [(name, name) for name in PROGRAMS if name not in allowed(target).packages],
    sabotage=Sabotage(
        lambda target: f"cp /bin/true /usr/local/bin/{target.value}",
        lambda target: f"rm -f /usr/local/bin/{target.value}",
    ),
)
def test_tools_of_intruders_are_not_there(host: Host, subject: str, expect: Expect) -> None:
    places = [
        f"{folder}/{subject}"
        for folder in ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin")
        if host.file(f"{folder}/{subject}").exists
    ]
    expect.none(places, "such programs")


@promise(
    "hardening.packages.whole",
    "Every package is whole: none is half installed or half configured.",
    remedy="`dpkg --audit` says what is missing.",
    reads=(PACKAGES,),
    sabotage=changed_file(
        "/var/lib/dpkg/status",
        "sed -i '0,/^Status: install ok installed/s//Status: install ok half-configured/' $FILE",
    ),
)
def test_every_package_is_whole(host: Host, expect: Expect) -> None:
    found = [f"{name}: {state}" for name, state in packages(host).items() if state not in {"installed", "config-files"}]
    expect.none(found, "packages in half a state")


@promise(
    "hardening.packages.leftovers",
    "Nothing of the building of an image is left: no package lists, no downloaded packages.",
    remedy="`apt-get clean` and remove /var/lib/apt/lists.",
    reads=(LISTS,),
    sabotage=Sabotage("touch /var/cache/apt/archives/x.deb", "rm -f /var/cache/apt/archives/x.deb"),
)
def test_nothing_of_the_building_is_left(host: Host, expect: Expect) -> None:
    expect.none(str(host.run(LISTS).stdout).splitlines(), "files of the package manager")

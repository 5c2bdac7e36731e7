"""The kernel is set as it should be: on a lab host those settings that are its own network's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.verify.hardening.allowed import allowed
from lab.verify.hardening.declare import Sabotage, promise

if TYPE_CHECKING:
    from collections.abc import Iterable

    from testinfra.host import Host

    from lab.verify.hardening.declare import Target
    from lab.verify.hardening.expect import Expect

NETWORK = {
    "net.ipv4.conf.all.accept_redirects": "0", "net.ipv4.conf.default.accept_redirects": "0",
    "net.ipv4.conf.all.accept_source_route": "0", "net.ipv4.conf.default.accept_source_route": "0",
    "net.ipv4.conf.all.send_redirects": "0", "net.ipv4.conf.default.send_redirects": "0",
    "net.ipv4.conf.all.rp_filter": "1", "net.ipv4.conf.default.rp_filter": "1",
    "net.ipv4.icmp_echo_ignore_broadcasts": "1", "net.ipv4.ip_forward": "0", "net.ipv4.tcp_rfc1337": "1",
    "net.ipv4.tcp_syncookies": "1",
}  # fmt: skip
IPV6 = {
    "net.ipv6.conf.all.accept_ra": "0",
    "net.ipv6.conf.all.accept_redirects": "0",
    "net.ipv6.conf.all.forwarding": "0",
}
MACHINE = {
    "kernel.dmesg_restrict": "1", "kernel.kptr_restrict": "2", "kernel.randomize_va_space": "2", "kernel.sysrq": "0",
    "kernel.unprivileged_bpf_disabled": "1", "kernel.yama.ptrace_scope": "1", "fs.protected_fifos": "2",
    "fs.protected_hardlinks": "1", "fs.protected_regular": "2", "fs.protected_symlinks": "1", "fs.suid_dumpable": "0",
    "net.core.bpf_jit_harden": "2",
}  # fmt: skip
"""Settings of a whole machine: a lab leaves them alone, a host that is a machine of its own has them."""
SET = "mount -o remount,bind,rw /proc/sys && echo {value} >/proc/sys/{path} && mount -o remount,bind,ro /proc/sys"


def own(target: Target) -> Iterable[tuple[str, tuple[str, str]]]:
    return [(name, (name, value)) for name, value in {**NETWORK, **IPV6, **allowed(target).sysctls}.items()]


def files(target: Target) -> Iterable[tuple[str, tuple[str, str]]]:
    del target
    return [(name, (name, value)) for name, value in MACHINE.items()]


def path(name: str) -> str:
    return name.replace(".", "/")


@promise(
    "hardening.kernel.network",
    "The kernel's network settings refuse what a host of this kind has no use for.",
    remedy="Restore role base's sysctl.conf; in a lab, run `pacslab up`.",
    each=own,
    sabotage=Sabotage(
        lambda target: SET.format(path=path(target.value[0]), value="1"),
        lambda target: SET.format(path=path(target.value[0]), value=target.value[1]),
        on=lambda target: target.value[0] == "net.ipv4.conf.all.accept_redirects" and target.entry.gateway,
    ),
)
def test_network_settings_refuse(host: Host, subject: tuple[str, str], expect: Expect) -> None:
    name, value = subject
    file = host.file(f"/proc/sys/{path(name)}")
    if name.startswith("net.ipv6") and not file.exists:
        expect.that(kept=True, expected=value, observed="no IPv6 at all")
        return
    expect.equal(value, file.content_string.strip(), name)


@promise(
    "hardening.kernel.no-ipv6",
    "No interface of a host has an IPv6 address: nobody reaches it past its flows.",
    remedy="Set net.ipv6.conf.all.disable_ipv6 to 1.",
    sabotage=Sabotage(
        SET.format(path="net/ipv6/conf/lo/disable_ipv6", value="0") + " && (ip -6 addr add ::1/128 dev lo || true)",
        SET.format(path="net/ipv6/conf/lo/disable_ipv6", value="1"),
    ),
)
def test_there_is_no_ipv6(host: Host, expect: Expect) -> None:
    file = host.file("/proc/net/if_inet6")
    expect.none(file.content_string.splitlines() if file.exists else [], "IPv6 addresses")


@promise(
    "hardening.kernel.written",
    "A machine that boots with this host's files gets every kernel setting.",
    remedy="Restore /etc/sysctl.d/60-pacslab.conf.",
    each=files,
    sabotage=Sabotage(
        "sed -i.kept '/^kernel.dmesg_restrict/d' /etc/sysctl.d/60-pacslab.conf",
        "mv /etc/sysctl.d/60-pacslab.conf.kept /etc/sysctl.d/60-pacslab.conf",
        on=lambda target: target.value[0] == "kernel.dmesg_restrict",
    ),
)
def test_the_settings_of_a_machine_are_written(host: Host, subject: tuple[str, str], expect: Expect) -> None:
    name, value = subject
    lines = host.file("/etc/sysctl.d/60-pacslab.conf").content_string.splitlines()
    pairs = dict(line.replace(" ", "").partition("=")[::2] for line in lines if "=" in line and line[0] != "#")
    expect.equal(value, pairs.get(name, "nothing"), name)


@promise(
    "hardening.kernel.readonly",
    "A program on a host cannot change the kernel's settings.",
    remedy="Mount /proc/sys read-only.",
    reads=("cat -- /proc/mounts",),
    sabotage=Sabotage("mount -o remount,bind,rw /proc/sys", "mount -o remount,bind,ro /proc/sys"),
)
def test_kernel_settings_cannot_be_changed(host: Host, container: object, expect: Expect) -> None:
    del container  # a machine of its own sets its kernel itself
    lines = [line.split() for line in str(host.check_output("cat -- /proc/mounts")).splitlines()]
    options = [fields[3].split(",") for fields in lines if fields[1] == "/proc/sys"]
    expect.some(options, "mount of /proc/sys")
    expect.that("ro" in options[-1], "read-only", ",".join(options[-1]))

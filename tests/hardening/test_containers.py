"""A lab host is a container that reaches nothing of its machine; judged by what the engine runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lab.verify.hardening.allowed import allowed
from lab.verify.hardening.declare import Sabotage, promise

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lab.verify.hardening.declare import Target
    from lab.verify.hardening.expect import Expect

MASKED = {"/proc/acpi", "/proc/kcore", "/proc/keys", "/proc/timer_list", "/sys/firmware"}
READ_ONLY = {"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"}
MOUNTED = {"/sys/fs/cgroup"}
"""What is shared with the machine: systemd needs its control groups (on version 1 there is no other way)."""
REMEDY = "Remove the container; `pacslab up` makes it as it is described."
FEWEST, MOST = 1, 4096


def made_with(**settings: Any) -> Sabotage:
    return Sabotage("true", "true", also=("hardening.containers.*",), settings=settings)


@promise(
    "hardening.containers.privileged",
    "No container is privileged.",
    remedy=REMEDY,
    sabotage=made_with(Privileged=True),
)
def test_no_container_is_privileged(container: Mapping[str, Any], expect: Expect) -> None:
    expect.equal(False, container["HostConfig"]["Privileged"], "privileged")  # noqa: FBT003 # a value to compare


@promise(
    "hardening.containers.capabilities",
    "Every container starts without any capability but those that its roles need.",
    remedy=REMEDY,
    sabotage=made_with(CapAdd=["SYS_PTRACE", "NET_RAW"]),
)
def test_capabilities_are_dropped(container: Mapping[str, Any], target: Target, expect: Expect) -> None:
    config = container["HostConfig"]
    expect.equal(["ALL"], config["CapDrop"], "dropped")
    given = sorted(name.removeprefix("CAP_") for name in config["CapAdd"] or [])
    expect.only(set(allowed(target).capabilities), given, "capabilities")


@promise(
    "hardening.containers.devices",
    "No container is given a device of its machine.",
    remedy=REMEDY,
    sabotage=made_with(
        Devices=[{"PathOnHost": "/dev/null", "PathInContainer": "/dev/other", "CgroupPermissions": "rwm"}]
    ),
)
def test_no_device_is_given(container: Mapping[str, Any], target: Target, expect: Expect) -> None:
    config = container["HostConfig"]
    found = [device["PathOnHost"] for device in config["Devices"] or []] + [
        str(entry) for entry in config["DeviceRequests"] or []
    ]
    expect.only(set(allowed(target).devices), found, "devices")
    expect.none(config["DeviceCgroupRules"] or [], "rules for devices")


@promise(
    "hardening.containers.namespaces",
    "No container shares the machine's processes, names, users or messages.",
    remedy=REMEDY,
    sabotage=made_with(PidMode="host"),
)
def test_namespaces_are_its_own(container: Mapping[str, Any], expect: Expect) -> None:
    config = container["HostConfig"]
    expect.only({"", "private"}, [config["PidMode"]], "pid namespaces")
    expect.only({"", "private"}, [config["UTSMode"]], "names")
    expect.only({"", "private", "none"}, [config["IpcMode"]], "messages")
    expect.only({""}, [config["UsernsMode"]], "user namespaces")


@promise(
    "hardening.containers.network",
    "No container has a network of the engine, or a port on the machine.",
    remedy=REMEDY,
    sabotage=made_with(NetworkMode="bridge"),
)
def test_there_is_no_network_of_the_engine(container: Mapping[str, Any], expect: Expect) -> None:
    expect.equal("none", container["HostConfig"]["NetworkMode"], "network")
    expect.only({"none"}, container["NetworkSettings"]["Networks"], "networks")
    expect.none(container["HostConfig"]["PortBindings"] or {}, "ports on the machine")
    expect.equal(False, container["HostConfig"]["PublishAllPorts"], "all ports published")  # noqa: FBT003 # a value


@promise(
    "hardening.containers.mounts",
    "No container sees a folder of its machine, but the control groups.",
    remedy=REMEDY,
    sabotage=made_with(Binds=["/tmp:/mnt"]),  # noqa: S108 # that is the sabotage
)
def test_no_folder_of_the_machine_is_seen(container: Mapping[str, Any], expect: Expect) -> None:
    found = [mount["Source"] for mount in container["Mounts"] if mount["Type"] == "bind"]
    expect.only(MOUNTED, found, "folders of the machine")
    expect.none(container["HostConfig"]["VolumesFrom"] or [], "volumes of others")


@promise(
    "hardening.containers.masked",
    "The kernel's dangerous files are masked or read-only in every container.",
    remedy=REMEDY,
    sabotage=made_with(MaskedPaths=[], ReadonlyPaths=[]),
)
def test_dangerous_files_are_masked(container: Mapping[str, Any], expect: Expect) -> None:
    expect.all_of(sorted(MASKED), container["HostConfig"]["MaskedPaths"] or [], "masked paths")
    expect.all_of(sorted(READ_ONLY), container["HostConfig"]["ReadonlyPaths"] or [], "read-only paths")


@promise(
    "hardening.containers.limits",
    "A container cannot fill the machine's table of processes, or its disk with output.",
    remedy=REMEDY,
    sabotage=made_with(PidsLimit=0),
)
def test_limits_are_set(container: Mapping[str, Any], expect: Expect) -> None:
    config = container["HostConfig"]
    limit = config["PidsLimit"] or 0
    expect.that(FEWEST <= limit <= MOST, f"{FEWEST} to {MOST} processes", str(limit))
    log = config["LogConfig"]
    expect.that(log["Type"] == "none" or "max-size" in log["Config"], "a limit of its log", str(log))


@promise(
    "hardening.containers.environment",
    "No secret stands in a container's environment.",
    remedy=REMEDY,
    sabotage=Sabotage("true", "true", settings={"Env": ["container=docker", "DB_PASSWORD=x"]}),
)
def test_no_secret_is_in_the_environment(container: Mapping[str, Any], expect: Expect) -> None:
    names = {entry.partition("=")[0] for entry in container["Config"]["Env"] or []}
    expect.only({"container", "PATH", "SYSTEMD_CGROUP_ENABLE_LEGACY_FORCE"}, sorted(names), "variables")

#!/usr/bin/python3 -IS
"""Ask the host's services how they are, and keep the answers in /run/pacslab/health.json.

Which services there are, with their units and probes, stands in /etc/pacslab/health.json:
``{"services": {name: {"unit", "port", "protocol", "probe": {"kind", "command", "depends_on"}}}, "storage": {"folders":
[path], "free_space": {"megabytes", "percent", "inodes_percent"}}}``.
The answer is ``{"at": epoch seconds, "services": {name: {"healthy": bool, "detail": text}}}``; ``at`` is when the
asking began. SIGUSR1 asks for an answer at once. A service that has become healthy, or is no longer, is an event in the
journal.
"""

from __future__ import annotations

import json
import math
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from pacslab_event import write_event
from pacslab_room import lacks

QUESTIONS = Path("/etc/pacslab/health.json")
ANSWERS = Path("/run/pacslab/health.json")
STARTING_PERIOD = 1.0  # seconds between rounds until every service is healthy
STEADY_PERIOD = 5.0
ASK_AGAIN = 30.0  # seconds after which systemd is asked for every unit, whether or not one seems to have changed
ASK_STOPPED = 5.0  # seconds for which a service that has not been started stays in the state that systemd told
ASK_STARTING = 1.8  # the same for one that is starting, and for a socket or a timer: every second round
ASK_TOLD = 10.0  # the same where the state only says more of a service that is unhealthy by its own probe
STANDS = 4.0  # seconds for which a good answer to a command stands that depends on nothing named
INVOCATIONS = Path("/run/systemd/units")
COMMAND_LIMIT = 5.0  # seconds for one probe
DETAIL_LIMIT = 500  # characters
PACKET_FILTER = "packet-filter"  # in a probe's depends_on; everything else there is a path
NETLINK_NETFILTER = 12
GET_GENERATION = 10 << 8 | 16  # subsystem nftables, message NFT_MSG_GETGEN (linux/netfilter/nf_tables.h)
NETLINK_SOCK_DIAG, SOCK_DIAG_BY_FAMILY, TCP_LISTEN = 4, 20, 10  # linux/sock_diag.h, net/tcp_states.h
NLM_F_REQUEST, NLM_F_DUMP, NLMSG_DONE = 0x1, 0x300, 3  # linux/netlink.h
LISTENING = {"tcp": "0A", "udp": "07"}  # socket states in /proc/net: TCP_LISTEN, and an unconnected UDP socket


def unit_states(units: list[str]) -> dict[str, str]:
    """Return every unit's state, as ``active`` or ``failed (exit-code)``, from one call of systemctl."""
    command = ["systemctl", "show", "--property=ActiveState,SubState,Result", "--", *units]
    output = subprocess.run(command, capture_output=True, text=True, timeout=COMMAND_LIMIT, check=True).stdout
    states = {}
    for unit, block in zip(units, output.strip().split("\n\n"), strict=True):
        facts = dict(line.split("=", 1) for line in block.splitlines())
        state = facts["ActiveState"]
        states[unit] = state if state == "active" else f"{state} ({facts['SubState']}, {facts['Result']})"
    return states


class Units:
    """Asks systemd for units' states, except where one that was active has neither ended nor been started again.

    systemd keeps the id of a unit's present start as a link in INVOCATIONS, and takes it away when the unit has ended.
    A host that starts has many services that wait for their turn: each question about them would delay it.
    """

    def __init__(self) -> None:
        """Know no unit."""
        self._told: dict[str, tuple[str, str, float]] = {}  # the start that was present, the state, and when
        self._asked_at = -math.inf

    def states(self, units: set[str], stands: float = 0.0) -> dict[str, str]:
        """Return every unit's state, as ``active`` or ``failed (exit-code)``; one that was told stands for so long."""
        if time.monotonic() > self._asked_at + ASK_AGAIN:
            self._told.clear()
            self._asked_at = time.monotonic()
        present = {unit: invocation(unit) for unit in units}  # before systemd is asked, so that no change falls between
        states = {unit: self._standing(unit, present[unit], stands) for unit in units}
        unsure = sorted(unit for unit, state in states.items() if not state)
        for unit, state in unit_states(unsure).items() if unsure else ():
            states[unit] = state
            self._told[unit] = present[unit], state, time.monotonic()
        return states

    def _standing(self, unit: str, present: str, stands: float) -> str:
        """Return the state that was told before if it still stands, else nothing."""
        start, state, told_at = self._told.get(unit, (present, "", -math.inf))
        if start != present:
            return ""
        if state == "active":
            return state if present else ""  # without the link it has ended, or is no service
        stopped = unit.endswith(".service") and not present
        stands = max(stands, ASK_STOPPED if stopped else ASK_STARTING)
        return state if time.monotonic() < told_at + stands else ""


def has_begun(unit: str) -> bool:
    """Return whether a service has been started; of other units there is no telling without systemd."""
    return not unit.endswith(".service") or bool(invocation(unit))


def invocation(unit: str) -> str:
    """Return the id of a unit's present start (systemd.exec(5), INVOCATION_ID), or nothing."""
    try:
        return str((INVOCATIONS / f"invocation:{unit}").readlink())
    except FileNotFoundError:
        return ""


def listening_ports(protocol: str) -> set[int]:
    """Return the ports on which the kernel accepts connections.

    Asking for them leaves no trace: a connection made every few seconds would fill the log of each TLS server.
    """
    if protocol == "tcp":
        try:
            return tcp_listeners()
        except OSError:
            pass  # a kernel without tcp_diag
    ports = set()
    for table in (f"/proc/net/{protocol}", f"/proc/net/{protocol}6"):
        path = Path(table)
        if path.exists():
            for line in path.read_text().splitlines()[1:]:
                fields = line.split()
                if fields[3] == LISTENING[protocol]:
                    ports.add(int(fields[1].rpartition(":")[2], 16))
    return ports


def tcp_listeners() -> set[int]:
    """Return the ports that TCP listens on, from the kernel's table of listeners alone (sock_diag(7)).

    In /proc/net/tcp every read goes through the table of connections too, which a machine's containers share.
    """
    ports = set()
    with socket.socket(socket.AF_NETLINK, socket.SOCK_DGRAM, NETLINK_SOCK_DIAG) as kernel:
        kernel.settimeout(COMMAND_LIMIT)
        for family in (socket.AF_INET, socket.AF_INET6):
            # struct nlmsghdr; struct inet_diag_req_v2: family, protocol, extensions, padding, states, any socket
            kernel.send(
                struct.pack("=IHHII", 72, SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST | NLM_F_DUMP, 0, 0)
                + struct.pack("=BBBBI48x", family, socket.IPPROTO_TCP, 0, 0, 1 << TCP_LISTEN)
            )
            while read_listeners(kernel.recv(65536), ports):
                pass
    return ports


def read_listeners(answer: bytes, ports: set[int]) -> bool:
    """Add the ports of one datagram of the answer; say whether there is more to come."""
    while answer:
        length, kind = struct.unpack_from("=IH", answer)
        if kind == NLMSG_DONE:
            return False
        if kind != SOCK_DIAG_BY_FAMILY:
            raise OSError(f"the kernel answers with message {kind} when asked who listens")
        ports.add(struct.unpack_from("!H", answer, 20)[0])  # struct inet_diag_msg: four octets, then the source port
        answer = answer[(length + 3) & ~3 :]
    return True


def run_probe(command: list[str]) -> tuple[bool, str]:
    """Run a probe's command; its last line of output is the detail when it does not end with 0."""
    try:
        done = subprocess.run(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=COMMAND_LIMIT, check=False
        )
    except subprocess.TimeoutExpired:
        return False, f"{command[0]}: no answer within {COMMAND_LIMIT:.0f} s"
    except OSError as error:
        return False, f"{command[0]}: {error.strerror}"
    lines = done.stdout.decode(errors="replace").strip().splitlines()
    return done.returncode == 0, "" if done.returncode == 0 else f"{command[0]}: {lines[-1] if lines else 'failed'}"


def filter_generation() -> int:
    """Return the number that the kernel's packet filter gets with every change of its rules or static sets."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_NETFILTER) as kernel:
        kernel.settimeout(COMMAND_LIMIT)
        # struct nlmsghdr: length, type, NLM_F_REQUEST, sequence, port; struct nfgenmsg: family, version, resource
        kernel.send(struct.pack("=IHHIIBBH", 20, GET_GENERATION, 1, 0, 0, 0, 0, 0))
        answer = kernel.recv(4096)
    # The first attribute of the answer, after both headers and its own: NFTA_GEN_ID, in network order.
    kind, generation = struct.unpack_from("=H", answer, 4)[0], struct.unpack_from("!I", answer, 24)[0]
    if kind != GET_GENERATION - 1:  # NFT_MSG_NEWGEN
        raise OSError(f"the kernel answers with message {kind} when asked for the packet filter's generation")
    return generation


def state_of(things: list[str]) -> list[object]:
    """Return what differs when one of a probe's ``depends_on`` has changed."""
    states = []
    for thing in things:
        if thing == PACKET_FILTER:
            states.append(filter_generation())
        else:
            try:
                facts = Path(thing).stat()
            except FileNotFoundError:
                states.append(None)
            else:
                states.append((facts.st_ino, facts.st_mtime_ns, facts.st_size))
    return states


class Commands:
    """Runs probes' commands, except where a good answer still stands."""

    def __init__(self) -> None:
        """Start with no answer."""
        self._good: dict[str, tuple[list[object], float]] = {}

    def ask(self, name: str, probe: dict) -> tuple[bool, str]:
        """Return whether service `name` is healthy, and what its command said when it is not."""
        state = state_of(probe["depends_on"])  # before the command looks, so that no change falls between
        before, asked_at = self._good.get(name, (None, -math.inf))
        if before == state and (state or time.monotonic() < asked_at + STANDS):
            return True, ""
        asked_at = time.monotonic()
        healthy, detail = run_probe(probe["command"])
        if healthy:
            self._good[name] = state, asked_at
        else:
            self._good.pop(name, None)
        return healthy, detail


def ask_storage(storage: dict) -> tuple[bool, str]:
    """Return whether every folder that the host keeps things in can be written and has room, and what they lack."""
    found = [lacking for folder in storage["folders"] if (lacking := lacks(folder, storage["free_space"]))]
    return not found, "; ".join(found)


def ask(services: dict[str, dict], storage: dict, units: Units, commands: Commands) -> dict[str, dict]:
    """Ask every service once; systemd only about those that are judged by their unit, or are not healthy."""
    protocols = {service["protocol"] for service in services.values() if service["probe"]["kind"] == "tcp"}
    open_ports = {protocol: listening_ports(protocol) for protocol in protocols}
    by_unit = {name: service["unit"] for name, service in services.items() if service["probe"]["kind"] == "unit"}
    states = units.states(set(by_unit.values()))
    answers = {name: (states[unit] == "active", "") for name, unit in by_unit.items()}
    for name, service in services.items():
        if service["probe"]["kind"] == "tcp":
            healthy = service["port"] in open_ports[service["protocol"]]
            answers[name] = healthy, "" if healthy else f"nothing listens on {service['port']}/{service['protocol']}"
        elif service["probe"]["kind"] == "command":
            answers[name] = commands.ask(name, service["probe"]) if has_begun(service["unit"]) else (False, "")
        elif service["probe"]["kind"] == "room":
            answers[name] = ask_storage(storage)
    unhealthy = {service["unit"] for name, service in services.items() if not answers[name][0]}
    states |= units.states(unhealthy - states.keys(), ASK_TOLD)  # what was judged by a state is shown with the same
    published = {}
    for name, service in services.items():
        healthy, detail = answers[name]
        state = "active" if healthy else states[service["unit"]]
        if state != "active":
            detail = "; ".join(filter(None, (detail, f"{service['unit']} is {state}")))
        published[name] = {"healthy": healthy, "detail": detail[:DETAIL_LIMIT]}
    return published


def publish(at: float, answers: dict[str, dict]) -> None:
    """Replace the file of answers in one step."""
    draft = ANSWERS.with_suffix(".new")
    draft.write_text(json.dumps({"at": at, "services": answers}) + "\n", "utf-8")
    draft.replace(ANSWERS)


def tell(before: dict[str, dict], answers: dict[str, dict], services: dict[str, dict]) -> None:
    """Write an event for each service whose health is another than before; the first answers are where it begins."""
    for name, answer in answers.items():
        if name in before and before[name]["healthy"] != answer["healthy"]:
            facts = {"service": name, "unit": services[name]["unit"]}
            if answer["healthy"]:
                write_event("change-health", **facts)
            else:
                write_event("change-health", "failed", "unhealthy", **facts)


def wake_on_signal() -> int:
    """Let SIGUSR1 write into a pipe; the answer is the end to wait at."""
    reading, writing = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    signal.signal(signal.SIGUSR1, lambda *_: None)
    return reading


def pause(wake: int, seconds: float) -> bool:
    """Wait, but no longer than until the next SIGUSR1; one that came while services were asked counts too.

    Return whether one came.
    """
    woken = bool(select.select([wake], [], [], seconds)[0])
    if woken:
        os.read(wake, 4096)
    return woken


def main() -> None:
    """Ask, publish, wait; the unit restarts this program when the questions change."""
    wake, units, commands = wake_on_signal(), Units(), Commands()
    questions = json.loads(QUESTIONS.read_text("utf-8"))
    services, storage = questions["services"], questions["storage"]
    before: dict[str, dict] = {}
    while True:
        at = time.time()
        try:
            answers = ask(services, storage, units, commands)
        except (subprocess.SubprocessError, OSError) as error:  # systemd or the kernel does not answer
            answers = {name: {"healthy": False, "detail": str(error)[:DETAIL_LIMIT]} for name in services}
        publish(at, answers)
        tell(before, answers, services)
        before = answers
        healthy = all(answer["healthy"] for answer in answers.values())
        if pause(wake, STEADY_PERIOD if healthy else STARTING_PERIOD):
            units, commands = Units(), Commands()  # whoever asks wants to know how it is now


if __name__ == "__main__":
    sys.exit(main())

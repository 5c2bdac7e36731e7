"""No lab host reaches the machine that runs the lab, or anything beside the lab, or takes the memory of all others."""

from __future__ import annotations

import socket
import time
from pathlib import Path
from typing import TYPE_CHECKING

from lab.errors import EngineError
from lab.results.model import Observation, Outcome, Promise, judged
from lab.verify import cables, memory
from lab.verify.attempting import attempt_all
from lab.verify.check import Check
from lab.verify.memory import MEMORY, judge_memory
from lab.verify.own_machine import listening, own_addresses
from lab.verify.sink import PORT, sink

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lab.results.model import Result
    from lab.verify.attempting import Target
    from lab.verify.check import Context

MACHINE = Promise("containment.machine", "No lab host reaches an address of the machine that runs the lab.")
BESIDE = Promise("containment.beside", "No lab host reaches a container beside the lab.")
STRANGERS = Promise("containment.strangers", "A listener beside the lab is reached by nobody but its own neighbour.")
REMEDY = "The lab's network must be its own: run `pacslab doctor`, then `pacslab down` and `pacslab up`."
STOPPED = {"timeout", "unreachable"}


def check_containment(context: Context) -> Iterator[Result]:
    """Try the machine's own addresses and a sink from every host, and look at each host's limit of memory.

    The first two are shown to answer others first: the sink its neighbour, the machine's listener the machine itself.

    Raises:
        EngineError: the sink or the listener does not answer whom it should, so that nothing would be proven.
    """
    hosts = [host for host in context.lab.site.hosts if context.wants_host(host)]
    if any(map(context.wants, (MACHINE, BESIDE, STRANGERS))):
        yield from _judge_network(context, hosts)
    if context.wants(MEMORY):
        yield from judge_memory(context.lab, [host for host in hosts if host in context.lab.site.managed])


def _judge_network(context: Context, hosts: Sequence[str]) -> Iterator[Result]:
    lab = context.lab
    with listening() as port, sink(lab) as beside:
        _answers_itself(port)
        machine: list[Target] = [("tcp", address, port) for address in own_addresses()]
        other: Target = ("tcp", beside.address, PORT)
        outcomes = attempt_all(lab, {host: [*machine, other] for host in hosts})
        strangers = beside.strangers()
    for host, answers in outcomes.items():
        for target, outcome in answers.items():
            promise = BESIDE if target == other else MACHINE
            if context.wants(promise):
                yield _judge(promise, host, target, outcome)
    if context.wants(STRANGERS):
        yield judged(
            STRANGERS,
            lab.name,
            Outcome.FAILED if strangers else Outcome.PASSED,
            expected="nothing but its neighbour reaches the sink",
            observed=f"connections from {', '.join(strangers)}" if strangers else "connections of its neighbour alone",
            remedy=REMEDY,
        )


def _judge(promise: Promise, host: str, target: Target, outcome: str) -> Result:
    protocol, address, port = target
    arrived = "it connected" if outcome == "connected" else f"an answer came back ({outcome})"
    stopped = outcome in STOPPED
    return judged(
        promise,
        host,
        Outcome.PASSED if stopped else Outcome.FAILED,
        subject=f"to {address} {protocol}/{port}",
        expected="nothing leaves the lab",
        observed=outcome if stopped else arrived,
        observations=(Observation(outcome, f"connection attempt on {host}", time.time()),),
        remedy=REMEDY,
        facts={"source": host, "address": address, "protocol": protocol, "port": port},
    )


def _answers_itself(port: int) -> None:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=2).close()
    except OSError as error:
        raise EngineError(
            f"The listener on this machine does not answer on loopback: {error}; it would prove nothing.",
            remedy="Look at the machine's own packet filter.",
        ) from error


CHECK = Check(
    name="containment",
    summary="from every host: the machine's own addresses, and a listener beside the lab; each host's limit of memory",
    promises=(MACHINE, BESIDE, STRANGERS, MEMORY),
    files=(Path(__file__), Path(memory.__file__)),
    judge=check_containment,
    mutations=lambda site: [*cables.mutations(site), *memory.mutations(site)],
)

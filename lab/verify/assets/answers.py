"""Active discovery: every address of every zone is asked for, from the firewall's place."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lab.engine.fabric import mac_address
from lab.errors import EngineError
from lab.results.model import Outcome, Promise, judged
from lab.verify.assets.finding import CHANGED, MISSING, UNDECLARED, as_described, otherwise

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from lab.engine.lab import Lab
    from lab.results.model import Result
    from lab.topology.site import Interface, Site
    from lab.verify.check import Context

ANSWERS = Promise(
    "assets.answers", "Asked by ARP, every described host of a zone answers by its own card, and nobody else does."
)
PROGRAM = Path(__file__).with_name("sweep.py")
LARGEST = 1024
"""Addresses of a zone that are all asked for; of a larger one only the described."""
TIMEOUT = 120
REMEDY = "See whether {host} runs and is joined (`pacslab status`), and run `pacslab up`."
STRANGER = "Find out what has that address: nothing of the description does."

Cards = list[str]


def judge_answers(context: Context) -> Iterator[Result]:
    """Ask in every zone that is wanted: one result a host, and one a zone for all other addresses.

    Raises:
        EngineError: nothing could be asked.
    """
    lab = context.lab
    site = lab.site
    if not context.wants(ANSWERS):
        return
    hosts = [name for name, entry in site.hosts.items() if not entry.gateway and context.wants_host(name)]
    zones = {site.hosts[name].zone for name in hosts} if context.hosts else set(site.topology.zones)
    interfaces = [found for found in site.interfaces(site.gateway) if found.zone in zones]
    if not interfaces:
        return
    context.say(f"asking for the addresses of {len(interfaces)} zones")
    answers = ask(lab, interfaces)
    for host in hosts:
        yield judge_host(site, host, answers[site.hosts[host].zone])
    if not context.hosts:
        for interface in interfaces:
            yield judge_others(lab, interface.zone, answers[interface.zone])


def ask(lab: Lab, interfaces: Sequence[Interface]) -> dict[str, dict[str, Cards]]:
    """Who answered, by zone and address.

    Raises:
        EngineError: the program did not run.
    """
    task = json.dumps([task_of(lab.site, interface) for interface in interfaces])
    argv = ["python3", "-I", "-", task]
    done = lab.run_from_place(lab.site.gateway, argv, input=PROGRAM.read_bytes(), timeout=TIMEOUT)
    if done.code:
        raise EngineError(
            f"Nothing could be asked from the place of {lab.site.gateway}: {done.stderr.strip()[-300:]}",
            remedy="Run `pacslab up`.",
        )
    answered = done.read(dict[str, Any], "the fabric")
    return {interface.zone: answered[interface.name] for interface in interfaces}


def task_of(site: Site, interface: Interface) -> dict[str, Any]:
    """What the program asks in a zone."""
    subnet = site.topology.zones[interface.zone].subnet
    wanted = [str(host.address) for host in site.hosts.values() if host.zone == interface.zone and not host.gateway]
    every = [str(address) for address in subnet.hosts() if address != interface.address]
    return {
        "interface": interface.name,
        "address": str(interface.address),
        "targets": every if subnet.num_addresses <= LARGEST else wanted,
        "wanted": wanted,
    }


def judge_host(site: Site, host: str, answers: Mapping[str, Cards]) -> Result:
    """Whether a host answers, and by its own card alone."""
    entry = site.hosts[host]
    address, own = str(entry.address), mac_address(entry.address)
    cards = answers.get(address, [])
    told: dict[str, Any] = {
        "subject": address,
        "expected": f"an answer of {own} alone",
        "read": ", ".join(cards) or "nothing",
        "source": f"ARP in zone {entry.zone}, from the place of {site.gateway}",
    }
    if cards == [own]:
        return as_described(ANSWERS, host, **told)
    return otherwise(
        ANSWERS,
        host,
        CHANGED if cards else MISSING,
        observed=", ".join(cards) or "no answer",
        remedy=REMEDY.format(host=host),
        **told,
        peer=host,
        target=address,
        asset_zone=entry.zone,
        mac=", ".join(cards) or None,
    )


def judge_others(lab: Lab, zone: str, answers: Mapping[str, Cards]) -> Result:
    """Whether an address of a zone that nobody has by the description answers."""
    site = lab.site
    if site.topology.zones[zone].subnet.num_addresses > LARGEST:
        reason = f"The zone has more than {LARGEST} addresses."
        return judged(ANSWERS, lab.name, Outcome.SKIPPED, subject=f"zone {zone}", reason=reason)
    declared = {str(host.address) for host in site.hosts.values()}
    others = {address: cards for address, cards in sorted(answers.items()) if address not in declared}
    told: dict[str, Any] = {
        "subject": f"zone {zone}",
        "expected": "no other answer",
        "read": ", ".join(sorted(answers)) or "nothing",
        "source": f"ARP in zone {zone}, from the place of {site.gateway}",
    }
    if not others:
        return as_described(ANSWERS, lab.name, **told)
    address, cards = next(iter(others.items()))
    return otherwise(
        ANSWERS,
        lab.name,
        UNDECLARED,
        observed=", ".join(f"{at} by {' and '.join(by)}" for at, by in others.items()),
        remedy=STRANGER,
        **told,
        target=address,
        mac=cards[0],
        asset_zone=zone,
    )

"""Send the examples of the repository's rules to its core, as what hands over the collector's lines does.

Runs as root on the repository's host, with the programs and the rules that are there; sent there as text. Arguments:
the folder of these programs, the core's socket, the folder of switches, the core's runtime folder, then names of rules.
For each rule its examples are sent while it is switched off, then those that must raise no alert, then, each by itself
and with the rule's memory gone, those that must. Prints a JSON object a rule: when each was sent, by the host's clock,
in seconds since 1970; what was sent is stored by then.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import time
import uuid
from importlib import import_module
from pathlib import Path
from typing import Any

SECONDS = 60.0
"""For which a rule is off at most."""
WHY = "an exercise: every rule is sent its own examples"
AT_ONCE = 1 << 16
PATIENCE = 30.0
"""Seconds in which what was sent has to be stored."""


class Core:
    """The connection to the core, and what was sent over it."""

    def __init__(self, path: str) -> None:
        """Call the core."""
        self.wire = import_module("simulators.siem.wire")
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(PATIENCE)
        self.socket.connect(path)
        self.run = uuid.uuid4().bytes
        self.hosts: dict[str, int] = {}
        self.sent: dict[int, int] = {}
        self.stored: dict[int, int] = {}
        self.rest = b""

    def send(self, events: list[dict[str, Any]]) -> None:
        """Send events, and wait until they are stored."""
        made = [self.record(event) for event in events]
        chunk = b"".join(made)
        self.socket.sendall(self.wire.CHUNK.pack(len(chunk)) + chunk)
        while any(self.stored.get(number, 0) < last for number, last in self.sent.items()):
            self.take_answers()

    def record(self, event: dict[str, Any]) -> bytes:
        """An event as a record; of a host that is new, that it begins to send, too."""
        kind, record, packed = self.wire.Kind, self.wire.Record, self.wire.packed
        host = str(event["host.name"])
        begin = b""
        if host not in self.hosts:
            self.hosts[host] = len(self.hosts) + 1
            opened = record(kind.OPEN, self.hosts[host], 0, self.wire.NO_RUN, host.encode("ascii"), self.wire.OF_LINES)
            begin = packed(opened)
        number = self.hosts[host]
        self.sent[number] = self.sent.get(number, 0) + 1
        fields = json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode()
        return begin + bytes(packed(record(kind.EVENT, number, self.sent[number], self.run, b"", fields)))

    def take_answers(self) -> None:
        """Note what is stored."""
        data = self.socket.recv(AT_ONCE)
        if not data:
            raise ConnectionResetError("the core is gone")
        self.rest += data
        size = self.wire.ANSWER.size
        whole = len(self.rest) // size * size
        for kind, connection, number, _ in self.wire.ANSWER.iter_unpack(self.rest[:whole]):
            if kind == self.wire.Kind.ACKNOWLEDGED:
                self.stored[connection] = max(self.stored.get(connection, 0), number)
        self.rest = self.rest[whole:]


def events_of(example: Any) -> list[dict[str, Any]]:
    """The events of an example, of which the last happens now."""
    examples: Any = import_module("simulators.siem.sigma.examples")
    seconds_of = import_module("simulators.siem.normalise.moment").seconds_of
    times = [seconds_of(line["time"]) for line in examples.lines_of(example)]
    examples.BEGIN = time.time() - (max(times) - examples.BEGIN)
    return list(examples.events_of(example))


class Exercise:
    """Sends the examples of one rule after the other."""

    def __init__(self, core: Core, switches: Path, runtime: Path) -> None:
        """Know where rules are switched."""
        self.core = core
        self.switch = import_module("simulators.siem.switch")
        self.places: dict[str, Any] = {"folder": switches, "runtime": runtime, "root": os.geteuid()}

    def of(self, rule: str, match: list[Any], others: list[Any]) -> dict[str, Any]:
        """Send the examples of a rule; return when."""
        told: dict[str, Any] = {"rule": rule, "without": [], "other": [], "with": []}
        self.off(rule)
        try:
            told["without"] = [self.sent(example) for example in match]
        finally:
            self.on(rule)
        for name, examples in (("other", others), ("with", match)):
            for example in examples:
                self.off(rule)  # what it has counted, and about whom it is quiet, is forgotten
                self.on(rule)
                told[name].append(self.sent(example))
        return told

    def sent(self, example: Any) -> list[float]:
        """Send one example; return when that began and ended."""
        began = time.time()
        self.core.send(events_of(example))
        return [began, time.time()]

    def off(self, rule: str) -> None:
        """Switch the rule off."""
        self.switch.switch_off(rule, SECONDS, WHY, **self.places)

    def on(self, rule: str) -> None:
        """Switch it on again."""
        self.switch.switch_on(rule, **self.places)


def main(library: str, core: str, switches: str, runtime: str, *rules: str) -> None:
    """Do it for each of these rules."""
    sys.path.insert(0, library)
    heads = [found.head for found in import_module("simulators.siem.sigma.read").load()]
    examples = {head.file.removesuffix(".yml"): head.ours for head in heads if head.ours.match}
    exercise = Exercise(Core(core), Path(switches), Path(runtime))
    for rule in rules:
        if rule not in examples:
            raise SystemExit(f"this host has no rule {rule}")
        told = exercise.of(rule, list(examples[rule].match), list(examples[rule].pass_))
        sys.stdout.write(f"{json.dumps(told)}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])

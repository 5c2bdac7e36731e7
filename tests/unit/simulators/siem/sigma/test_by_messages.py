"""What rules see in events they see in the audit messages that hosts make of them, since the repository has these."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from lxml import etree

from simulators.audit.message import messages_of
from simulators.audit.table import rows_for
from simulators.audit.told import UNIT_MESSAGES, UNIT_STOP, told_by
from simulators.siem.judge.judge import Judge
from simulators.siem.normalise.audit import of_message
from simulators.siem.normalise.moment import seconds_of
from simulators.siem.sigma.examples import lines_of
from simulators.siem.sigma.read import load
from tests.unit.simulators.audit.events import SOURCE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simulators.audit.told import Told
    from simulators.siem.fields import Fields

DETECTIONS = load()
HOSTS = {name: f"{name}.imaging.internal" for name in ("ws-rad1", "ws-tech1", "idp1", "ehr1", "ct1", "pacs-rad")}
(STOPPED,) = [number for number, action in UNIT_MESSAGES.items() if action == UNIT_STOP]


def told_of(line: dict[str, Any]) -> Told | None:
    """What the host's daemon reads of a line in its journal."""
    text = json.dumps(line["data"]) if "data" in line else line.get("message", "")
    entry = {"MESSAGE": text, "SYSLOG_IDENTIFIER": line.get("program"), "_PID": line["pid"]}
    if line.get("program") == "systemd" and text.startswith("Stopped"):
        entry |= {"MESSAGE_ID": STOPPED, "UNIT": text.removeprefix("Stopped ").removeprefix("target ").split()[0]}
    return told_by(entry)


def audited(example: Any) -> bool:
    """Whether every line of an example becomes an audit message."""
    told = [told_of(line) for line in lines_of(example)]
    return all(one is not None and any(rows_for(one)) for one in told)


def events_of_messages(example: Any) -> Iterator[Fields]:
    for line in lines_of(example):
        told = told_of(line)
        assert told is not None
        source = replace(SOURCE, name=line["host"], fqdn=f"{line['host']}.imaging.internal", names=HOSTS, ae_title="")
        for _, message in messages_of(replace(told, time=line["time"]), source):
            parsed, received = etree.fromstring(message.xml.encode()), seconds_of(line["received"])
            assert received is not None
            fields = of_message(parsed, line["host"], received, program=message.program, pid=message.pid)
            yield {**fields, **line.get("site", {})}


BY_MESSAGES = [one for one in DETECTIONS if one.head.ours.match and audited(one.head.ours.match[0])]


@pytest.mark.parametrize("detection", BY_MESSAGES, ids=lambda one: one.head.file.removesuffix(".yml"))
def test_audit_messages_raise_the_same_alert(detection: Any) -> None:
    judge = Judge(DETECTIONS)
    events = list(events_of_messages(detection.head.ours.match[0]))
    alerts = [alert.rule for number, fields in enumerate(events) for alert in judge.judge(number, fields)]
    assert detection.head.id in alerts


def test_most_rules_are_seen_in_audit_messages() -> None:
    assert len(BY_MESSAGES) > 50

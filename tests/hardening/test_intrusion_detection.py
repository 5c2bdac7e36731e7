"""Who watches the network hears all of it, says nothing there, and recognises what its rules are for."""

from __future__ import annotations

import base64
import json
import time
from typing import TYPE_CHECKING, Any

from lab.verify.captures.conversation import capture
from lab.verify.captures.examples import examples
from lab.verify.hardening.declare import Sabotage, promise
from lab.verify.hardening.facts import RULESET, ruleset
from lab.verify.hardening.sabotages import changed_file, drop_in

if TYPE_CHECKING:
    from testinfra.host import Host

    from lab.verify.hardening.declare import Target
    from lab.verify.hardening.expect import Expect

CARD = "mirror0"
UNIT = "suricata.service"
SETTINGS, RULES = "/etc/pacslab/ids/suricata.yaml", "/etc/pacslab/ids/site.rules"
CARDS = f"ip -j address show dev {CARD}"
HEARS = "/usr/local/lib/pacslab/witness"
LIMITS = f"systemctl show --property=LimitFSIZE,MemoryMax {UNIT}"
ROTATES = "systemctl is-active pacslab-records.timer"
READS = f"grep -E '^rule-files: ' {SETTINGS}"
AGAIN = f"systemctl restart {UNIT}; for n in $(seq 100); do {HEARS} >/dev/null && break; sleep 0.1; done"
JUDGED = """\
folder=$(mktemp -d) && cd "$folder" && base64 -d >frames.pcap <<'PACSLAB_CAPTURE'
{capture}
PACSLAB_CAPTURE
suricata -r frames.pcap -c {settings} -l "$folder" -k none --set outputs.0.eve-log.enabled=no >said 2>&1
grep -a '"event_type":"alert"' eve.json || tail -n 3 said
cd / && rm -rf "$folder"
"""
"""The engine reads a capture with the host's own rules; its first output, to the collector, is left out."""


def watches(target: Target) -> bool:
    return target.entry.mirror is not None


def silent(card: dict[str, Any]) -> bool:
    return {"UP", "NOARP"} <= set(card["flags"]) and not card["addr_info"]


def dropping(rules: list[dict[str, Any]], hook: str, key: str) -> bool:
    """Whether a chain at a hook drops whatever goes through the mirror's interface."""
    chains = {entry["chain"]["name"] for entry in rules if entry.get("chain", {}).get("hook") == hook}
    return any(
        rule["chain"] in chains and "drop" in rule["expr"][-1] and rule["expr"][0].get("match", {}).get("right") == CARD
        for rule in (entry["rule"] for entry in rules if "rule" in entry)
        if rule["expr"][0].get("match", {}).get("left") == {"meta": {"key": key}}
    )


@promise(
    "hardening.intrusion-detection.silent",
    "The interface that hears other zones is up, has no address, and answers nobody who asks for one.",
    remedy="`pacslab up` sets the mirror right.",
    where=watches,
    reads=(CARDS,),
    sabotage=Sabotage(
        f"ip address add 203.0.113.5/32 dev {CARD}",
        f"ip address flush dev {CARD}",
        also=("hardening.names.addresses", "hardening.names.routes"),
    ),
)
def test_the_mirror_has_no_address(host: Host, expect: Expect) -> None:
    cards = json.loads(host.check_output(CARDS))
    expect.that(
        len(cards) == 1 and silent(cards[0]), "an interface that is up, without ARP and address", f"{cards}"[:200]
    )


@promise(
    "hardening.intrusion-detection.apart",
    "Nothing that arrives at the mirror reaches a service of the host, and nothing of the host is sent there.",
    remedy="`systemctl reload nftables` restores the described rules.",
    where=watches,
    reads=(RULESET,),
    sabotage=Sabotage(
        "nft flush chain inet filter mirror_in",
        "systemctl reload nftables",
        also=("hardening.packet-filter.as-loaded",),
    ),
)
def test_the_mirror_is_for_the_engine_alone(host: Host, expect: Expect) -> None:
    rules = ruleset(host)
    expect.that(dropping(rules, "prerouting", "iifname"), "what arrives is dropped", "it is not")
    expect.that(dropping(rules, "output", "oifname"), "what is sent is dropped", "it is not")


@promise(
    "hardening.intrusion-detection.hears",
    "The engine takes frames from the mirror.",
    remedy=f"`systemctl status {UNIT}` on the host.",
    where=watches,
    reads=(HEARS,),
    sabotage=Sabotage(
        f"systemctl stop {UNIT}",
        AGAIN,
        # with it goes the folder of its rule about the issuer
        also=("hardening.processes.*", "hardening.units.*", "hardening.intrusion-detection.recognises"),
    ),
)
def test_the_engine_hears_the_mirror(host: Host, expect: Expect) -> None:
    done = host.run(HEARS)
    expect.that(done.rc == 0, "a socket of the engine at the mirror", (done.stdout + done.stderr).strip())


@promise(
    "hardening.intrusion-detection.recognises",
    "With its settings and rules as they are, the engine recognises a capture of everything that they are for.",
    remedy=f"`suricata -T -c {SETTINGS} -l /tmp` names what is wrong; `pacslab up` restores the rules.",
    where=watches,
    sabotage=changed_file(RULES, "sed -i '/rule hl7-in-clear/d' $FILE"),
)
def test_the_rules_recognise_what_they_are_for(host: Host, target: Target, expect: Expect) -> None:
    wanted = examples(target.site)
    frames = [octets for conversation in wanted.values() for octets in conversation]
    text = base64.encodebytes(capture(frames, int(time.time()))).decode().strip()
    said = str(host.check_output(JUDGED.format(capture=text, settings=SETTINGS)))
    alerts = [json.loads(line)["alert"] for line in said.splitlines() if line[:1] == "{"]
    expect.some(alerts, f"alerts; the engine said {said.strip()[-200:]!r}")
    expect.all_of(sorted(wanted), {alert["metadata"]["rule"][0] for alert in alerts}, "rules that recognised theirs")


@promise(
    "hardening.intrusion-detection.own-rules",
    "The engine reads the site's own rules and no others.",
    remedy="`pacslab up` restores the described settings.",
    where=watches,
    reads=(READS,),
    sabotage=changed_file(SETTINGS, "sed -i 's,^rule-files: \\[,&/tmp/others.rules\\, ,' $FILE"),
)
def test_no_rules_come_from_elsewhere(host: Host, expect: Expect) -> None:
    files = str(host.check_output(READS)).partition("[")[2].rstrip("]\n").split(", ")
    expect.only({"site.rules", "/run/suricata/issuer.rules"}, files, "files of rules")


@promise(
    "hardening.intrusion-detection.bounded",
    "What the engine may write and remember has an end, and a large file is put aside.",
    remedy=f"`systemctl cat {UNIT}` shows its limits; `systemctl start pacslab-records.timer` puts files aside again.",
    where=watches,
    reads=(LIMITS, ROTATES),
    sabotage=drop_in(UNIT, "LimitFSIZE=infinity", "MemoryMax=infinity"),
)
def test_records_and_memory_have_an_end(host: Host, expect: Expect) -> None:
    limits = dict(line.split("=", 1) for line in str(host.check_output(LIMITS)).split())
    for name in ("LimitFSIZE", "MemoryMax"):
        expect.that(limits[name].isdecimal(), f"a limit {name}", limits[name])
    expect.equal("active", host.run(ROTATES).stdout.strip(), "timer")

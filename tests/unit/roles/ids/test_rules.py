"""The rules follow from the site's description, and recognise what they are for: judged by Suricata where there is one.

On a machine without Suricata 7 the captures are judged by the check `hardening.intrusion-detection.recognises` alone.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import time
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives import serialization

from lab.settings import ROOT
from lab.verify.captures.conversation import capture, connection
from lab.verify.captures.examples import Stage, everyday, examples
from lab.verify.captures.handshakes import V12, Shown, certificate, handshake
from tests.unit.roles.ids.watched import SITE, WITNESS
from tests.unit.roles.rendered import rendered_template

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1 is deprecated")
FILES = {
    name: rendered_template(SITE, WITNESS, "ids", f"{name}.j2")
    for name in ("site.rules", "issuer.rule", "suricata.yaml")
}
RULES = [line for line in FILES["site.rules"].splitlines() if line and line[0] != "#"]
ISSUER = [line for line in FILES["issuer.rule"].splitlines() if line and line[0] != "#"]
SUITES = {4865, 4866, 4867, 49195, 49196, 49199, 49200, 52392, 52393}


def words(rule: str, key: str) -> list[str]:
    return re.findall(rf"\b{key}:([^;]*);", rule)


def names() -> set[str]:
    return {re.split(r"[ ,]", words(rule, "metadata")[0])[1] for rule in [*RULES, *ISSUER]}


def test_every_rule_has_a_number_of_its_own_and_a_known_class() -> None:
    every = [*RULES, *ISSUER]
    numbers = [words(rule, "sid")[0] for rule in every]
    assert len(set(numbers)) == len(numbers)
    known = {
        line.split()[2].split(",")[0]
        for line in (ROOT / "roles" / "ids" / "files" / "classification.config").read_text("utf-8").splitlines()
    }
    assert {words(rule, "classtype")[0] for rule in every} == known


def test_no_rule_tells_of_the_same_two_hosts_more_than_a_few_times_a_minute() -> None:
    for rule in [*RULES, *ISSUER]:
        assert re.search(r"threshold:type (limit|both), track by_(src|dst|both), count \d+, seconds 60;", rule), rule


def test_every_rule_has_a_capture_that_it_must_recognise() -> None:
    assert names() == set(examples(SITE))


def test_each_target_of_a_flow_is_called_by_the_flows_callers_alone() -> None:
    wanted: dict[tuple[str, str, int], set[str]] = {}
    for flow in SITE.flows:
        key = (flow.protocol, str(SITE.hosts[flow.target].address), flow.port)
        wanted.setdefault(key, set()).add(str(SITE.address_towards(flow.source, flow.target)))
    found = {}
    for rule in RULES:
        if "rule unlisted-caller" in rule:
            _, protocol, sources, _, _, target, port, *_ = rule.split(" ")
            found[protocol, target, int(port)] = set(sources.removeprefix("![").removesuffix("]").split(","))
    assert found == wanted


def test_the_addresses_that_a_packet_may_come_from_are_those_of_the_hosts() -> None:
    rule = next(rule for rule in RULES if "rule unknown-address" in rule)
    addresses = set(rule.split(" ")[2].removeprefix("![").removesuffix("]").split(","))
    assert addresses == {str(interface.address) for host in SITE.hosts for interface in SITE.interfaces(host)}


def test_the_ae_titles_that_may_stand_in_a_request_are_the_sites() -> None:
    titles = "|".join(sorted(host.ae_title for host in SITE.hosts.values() if host.ae_title))
    asked = [rule for rule in RULES if re.search("rule dicom-unknown-call(ing|ed)-title", rule)]
    assert len(asked) == 2
    assert all(f"(?!(?:{titles}) " in rule for rule in asked)


def test_the_issuers_key_is_put_into_the_rule(tmp_path: Path) -> None:
    shown = certificate()
    text = issuer_rules(shown, tmp_path)
    assert "KEY" not in text
    key = re.findall(r'content:!"\|([0-9A-F ]+)\|"', text)
    assert {len(bytes.fromhex(entry)) for entry in key} == {20}
    assert len(key) == 2


def issuer_rules(shown: Shown, folder: Path) -> str:
    (folder / "issuer.crt").write_bytes(shown.authority.public_bytes(serialization.Encoding.PEM))
    (folder / "issuer.rule").write_text("\n".join(ISSUER) + "\n")
    program = ROOT / "roles" / "ids" / "files" / "issuer-rule"
    argv = ["sh", str(program), str(folder / "issuer.crt"), str(folder / "issuer.rule")]
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout


@cache
def suricata() -> str | None:
    """Suricata 7, where this machine has it: an older one knows neither JA4 nor some of the words."""
    found = shutil.which("suricata")
    if found is None:
        return None
    said = subprocess.run([found, "-V"], capture_output=True, text=True, check=False).stdout
    return found if "version 7." in said else None


@pytest.fixture(scope="module")
def shown() -> Shown:
    return certificate()


class Engine:
    """Suricata with the role's settings and rules, reading a capture instead of the mirror."""

    def __init__(self, program: str, folder: Path, shown: Shown) -> None:
        """Write settings and rules where Suricata reads them; ``shown`` has the site's authority."""
        self.program, self.folder = program, folder
        (folder / "reference.config").touch()
        (folder / "site.rules").write_text("\n".join(RULES) + "\n" + issuer_rules(shown, folder))
        settings = FILES["suricata.yaml"].replace("/etc/pacslab/ids", str(folder))
        for name in ("reference.config", "threshold.config"):
            settings = settings.replace(f"/etc/suricata/{name}", str(folder / "reference.config"))
        classes = ROOT / "roles" / "ids" / "files" / "classification.config"
        settings = settings.replace("/etc/suricata/classification.config", str(classes))
        (folder / "suricata.yaml").write_text(settings.replace(", /run/suricata/issuer.rules", ""))

    def judge(self, frames: list[bytes]) -> list[dict[str, Any]]:
        """What is on record after these frames."""
        for path in self.folder.glob("*.json"):
            path.unlink()
        (self.folder / "frames.pcap").write_bytes(capture(frames, int(time.time())))
        argv = [self.program, "-r", "frames.pcap", "-c", "suricata.yaml", "-l", str(self.folder), "-k", "none"]
        done = subprocess.run(argv, cwd=self.folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert not [line for line in (done.stdout + done.stderr).splitlines() if line[:2] in {"W:", "E:"}]
        return [json.loads(line) for line in (self.folder / "eve.json").read_text().splitlines()]

    def recognised(self, frames: list[bytes]) -> set[str]:
        """The rules that alerted."""
        alerts = [record["alert"] for record in self.judge(frames) if record["event_type"] == "alert"]
        return {alert["metadata"]["rule"][0] for alert in alerts}


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory, shown: Shown) -> Engine:
    program = suricata()
    if program is None:
        pytest.skip("no Suricata 7 here: the check hardening.intrusion-detection.recognises judges the same captures")
    return Engine(program, tmp_path_factory.mktemp("engine"), shown)


@pytest.mark.parametrize("name", sorted(names()))
def test_a_rule_recognises_what_it_is_for(engine: Engine, name: str) -> None:
    assert name in engine.recognised(examples(SITE)[name])


def test_one_capture_of_all_is_recognised_whole(engine: Engine) -> None:
    every = [octets for frames in examples(SITE).values() for octets in frames]
    assert engine.recognised(every) == names()


def test_a_usual_day_raises_nothing_and_is_on_record(engine: Engine, shown: Shown) -> None:
    records = engine.judge(everyday(SITE, shown))
    assert [record for record in records if record["event_type"] == "alert"] == []
    handshakes = [record["tls"] for record in records if record["event_type"] == "tls"]
    assert {entry["version"] for entry in handshakes} == {"TLS 1.2", "TLS 1.3"}
    assert all(entry["ja3"]["hash"] and entry["ja3s"]["hash"] and entry["ja4"] for entry in handshakes)
    assert sum(record["event_type"] == "flow" for record in records) >= 3


def test_a_clients_foreign_certificate_is_recognised(engine: Engine, shown: Shown) -> None:
    stage = Stage.of(SITE)
    said = handshake(shown, V12, by_client=certificate())
    assert engine.recognised(list(connection(stage.one, stage.other, (40_000, stage.port), said))) == {"tls-foreign"}


def test_the_suites_that_are_allowed_are_those_of_rfc_9325() -> None:
    rule = next(rule for rule in RULES if "rule tls-suite" in rule)
    listed = re.search(r"\(\?!\(\?:([0-9|]+)\),\)", rule)
    assert listed is not None
    assert {int(number) for number in listed[1].split("|")} == SUITES

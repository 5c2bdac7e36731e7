"""A host compares its clock with the site's time, and one that is too far off is not healthy."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from lab.settings import ROOT
from tests.unit.roles.rendered import REFERENCE, files_of

if TYPE_CHECKING:
    from pathlib import Path

PROBE = ROOT / "roles" / "time_client" / "files" / "clock"
FACTS = "0A180A0A,dc1.imaging.internal,9,1795691025.84,{offset},0.00,0.00,0.4,0.007,6.1,0.00,0.00,16.3,{leap}"


def asked(folder: Path, answer: str, *, code: int = 0, limit: str = "1.0") -> tuple[int, str]:
    """What the probe says where chronyc answers this."""
    (folder / "chronyc").write_text(f"#!/bin/sh\necho '{answer}'\nexit {code}\n")
    (folder / "chronyc").chmod(0o755)
    (folder / "settings").write_text(f"limit={limit}\n")
    script = PROBE.read_text("utf-8").replace("/etc/pacslab/clock", str(folder / "settings"))
    environment = {"PATH": f"{folder}:/usr/bin:/bin"}
    done = subprocess.run(["/bin/sh", "-c", script], capture_output=True, text=True, env=environment, check=False)
    return done.returncode, done.stdout.strip()


@pytest.mark.parametrize("offset", ["0.000012", "-0.4", "0.999", "-0.999"])
def test_a_clock_within_the_limit_is_healthy(offset: str, tmp_path: Path) -> None:
    assert asked(tmp_path, FACTS.format(offset=offset, leap="Normal")) == (0, "")


@pytest.mark.parametrize("offset", ["2.499996", "-1.2", "86400.5"])
def test_a_clock_beyond_it_is_named_with_its_offset_and_source(offset: str, tmp_path: Path) -> None:
    code, said = asked(tmp_path, FACTS.format(offset=offset, leap="Normal"))
    assert code == 1
    assert said == f"the clock is off by {offset} s against dc1.imaging.internal; 1.0 s is the limit"


def test_the_site_says_how_far_is_too_far(tmp_path: Path) -> None:
    assert asked(tmp_path, FACTS.format(offset="0.4", leap="Normal"), limit="0.1")[0] == 1


def test_a_host_that_has_measured_nothing_yet_is_believed(tmp_path: Path) -> None:
    assert asked(tmp_path, FACTS.format(offset="0.0", leap="Not synchronised"))[0] == 0


def test_a_time_service_that_does_not_answer_is_not_healthy(tmp_path: Path) -> None:
    code, said = asked(tmp_path, "506 Cannot talk to daemon", code=1)
    assert (code, said) == (1, "chronyd does not answer: 506 Cannot talk to daemon")


def test_hosts_ask_the_time_server_with_authentication_and_nobody_else() -> None:
    text = files_of(REFERENCE, "ct1", "time_client")["/etc/chrony/chrony.conf"].text
    sources = [line for line in text.splitlines() if line.startswith(("server", "pool", "peer"))]
    assert sources == ["server dc1.imaging.internal nts ntsport 4460 iburst minpoll 4 maxpoll 4"]
    assert "authselectmode require\n" in text
    assert "\nport 0\n" in text


def test_the_time_server_answers_hosts_of_flows_alone() -> None:
    text = files_of(REFERENCE, "dc1", "time_server")["/etc/chrony/conf.d/server.conf"].text
    allowed = {line.split()[1] for line in text.splitlines() if line.startswith("allow")}
    assert "10.24.41.11" in allowed
    assert not allowed & {str(REFERENCE.hosts[name].address) for name in ("guest1", "attacker1")}
    own = files_of(REFERENCE, "dc1", "time_client")["/etc/chrony/chrony.conf"].text
    assert own.rstrip().endswith("confdir /etc/chrony/conf.d"), "what is last counts"

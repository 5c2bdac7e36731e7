"""What the daemon makes of the journal's entries, without its process: which are told, how often, and what waits."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from simulators.audit.host_end import HostEnd
from simulators.audit.memory import Memory
from simulators.audit.serve import Daemon
from simulators.audit.spool import Spool
from simulators.audit.told import UNIT_START, WHOLE_HOST
from simulators.events.vocabulary import Outcome
from tests.unit.simulators.audit.events import SOURCE, described, entry, of_unit

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from simulators.audit.message import Source


class Kept(Spool):
    """A spool whose messages are at hand."""

    def all(self) -> list[str]:
        """All of them."""
        return [entry.data.decode() for entry in self.after(0, 1 << 30)]


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Kept]:
    opened = Kept(tmp_path / "spool")
    yield opened
    opened.close()


def daemon_of(spool: Spool, folder: Path, source: Source = SOURCE) -> Daemon:
    memory, host_end = Memory.read(folder / "met.json"), HostEnd(folder / "host-ends")
    return Daemon(source, spool, memory, host_end, lambda: None)


def at_edge(number: int, **facts: Any) -> dict[str, Any]:
    line = {
        "action": "associate",
        "outcome": "success",
        "edge": "dicom",
        "certificate": "ct1.imaging.internal",
        **facts,
    }
    return {**entry(line, "haproxy"), "__CURSOR": f"c{number}"}


def test_a_unit_that_is_restarted_or_ends_with_its_host_is_not_one_that_somebody_stopped(
    tmp_path: Path, spool: Kept
) -> None:
    daemon = daemon_of(spool, tmp_path)
    lines = [
        of_unit("nginx.service", JOB_TYPE="stop"),
        of_unit("nginx.service", JOB_TYPE="restart"),
        of_unit(WHOLE_HOST, JOB_TYPE="stop"),
        of_unit("nginx.service", JOB_TYPE="stop"),
    ]
    assert daemon.take({**line, "__CURSOR": f"c{number}"} for number, line in enumerate(lines))
    assert described(spool.all()) == ["", "success: restart", "", "success: shutdown"]


def test_what_stopped_with_the_host_is_known_after_its_next_start_and_no_longer_than_that(
    tmp_path: Path, spool: Kept
) -> None:
    assert daemon_of(spool, tmp_path).take([{**of_unit(WHOLE_HOST), "__CURSOR": "c1"}])
    lines = [of_unit("nginx.service"), of_unit(WHOLE_HOST, UNIT_START), of_unit("nginx.service")]
    assert daemon_of(spool, tmp_path).take({**line, "__CURSOR": f"c{number}"} for number, line in enumerate(lines, 2))
    assert described(spool.all()) == ["", "success: shutdown", "", ""]
    assert not daemon_of(spool, tmp_path).host_end.begun


def test_a_device_that_comes_for_the_first_time_is_told_once_also_over_a_restart(tmp_path: Path, spool: Kept) -> None:
    daemon = daemon_of(spool, tmp_path)
    assert daemon.take([at_edge(1), at_edge(2), at_edge(3, certificate="mr1.imaging.internal")])
    again = daemon_of(spool, tmp_path)
    assert again.take([at_edge(4), at_edge(5, certificate="us1.imaging.internal"), at_edge(6, outcome="failed")])
    told = [re.search(r'UserID="(\w+)\.', message)[1] for message in spool.all()]  # type: ignore[index]
    assert told == ["ct1", "mr1", "us1"]
    assert all('csd-code="110124"' in message for message in spool.all())


def test_a_message_that_was_kept_before_a_start_waits_from_the_start_on(
    tmp_path: Path, spool: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1000.0]
    monkeypatch.setattr("simulators.audit.serve.time.time", lambda: now[0])
    daemon = daemon_of(spool, tmp_path)
    assert daemon.take([at_edge(1)])
    now[0] += 130
    assert daemon.state("", 120).startswith("1 audit messages wait for more than 120 s")
    again = daemon_of(spool, tmp_path)  # as after a snapshot
    assert again.state("", 120) == ""
    now[0] += 121
    assert again.state("", 120).startswith("1 audit messages wait for more than 120 s")


def test_the_images_of_a_study_that_one_caller_fetches_are_told_once_in_five_minutes(
    tmp_path: Path, spool: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1000.0]
    monkeypatch.setattr("simulators.audit.serve.time.monotonic", lambda: now[0])
    daemon = daemon_of(spool, tmp_path)
    daemon.memory.meets({"dicomweb web1.imaging.internal"})

    def fetch(number: int, study: str) -> dict[str, Any]:
        path = f"/dicom-web/studies/{study}/series/1.2.3.4.5/instances/{number}"
        facts = {"edge": "dicomweb", "transaction": "WADO-RS", "path": path, "certificate": "web1.imaging.internal"}
        line = entry({"action": "request", "outcome": "success", **facts}, "haproxy")
        return {**line, "__CURSOR": f"c{number}"}

    daemon.take([fetch(number, "1.2.3") for number in range(50)])
    daemon.take([fetch(60, "1.2.3"), fetch(61, "1.2.4")])
    now[0] += 301
    daemon.take([fetch(70, "1.2.3")])
    told = [re.search(r'ParticipantObjectID="(1[\d.]+)"', message)[1] for message in spool.all()]  # type: ignore[index]
    assert told == ["1.2.3", "1.2.4", "1.2.3"]


def test_a_spool_that_takes_nothing_loses_nothing(tmp_path: Path) -> None:
    spool = Kept(tmp_path / "spool", limit=6_000, segment=1_000)
    daemon = daemon_of(spool, tmp_path)
    entries = [at_edge(number, certificate=f"host{number}.imaging.internal") for number in range(3)]
    while daemon.take([at_edge(9, outcome="refused", reason="unlisted")]):
        pass
    assert "the spool is full" in daemon.trouble
    assert "the spool is full" in daemon.state("", 60.0)
    before = spool.last
    assert not daemon.take(entries)
    spool.acknowledge(before)
    assert daemon.take(entries)
    assert (spool.last, "host2." in spool.all()[-1]) == (before + 3, True)
    assert daemon.state("", 60.0) == ""


def test_the_probe_tells_how_long_messages_wait(tmp_path: Path, spool: Kept) -> None:
    daemon = daemon_of(spool, tmp_path)
    assert daemon.state("away", 0.0) == ""
    assert daemon.say("audit-start", Outcome.SUCCESS)
    assert daemon.state("away", 3600.0) == ""
    assert daemon.state("away", -1.0) == "1 audit messages wait for more than -1 s: away"

"""Work is counted by what was acknowledged: what is missing, double or broken at the collector is seen."""

from __future__ import annotations

import json
import re
from types import SimpleNamespace
from typing import Any, cast

import pytest

from lab.drills.loads import SAID_AGAIN, LogLines
from lab.drills.model import Count
from lab.drills.scene import Scene
from lab.drills.subject import Subject
from lab.engine.execute import Completed
from lab.errors import EngineError
from lab.settings import ROOT
from tests.unit.site_builder import committed_site

SITE = committed_site("reference")


class Collector:
    """Stands in for a lab: takes lines of ct1, and keeps them at siem1 as it is told to."""

    site = SITE

    def __init__(self) -> None:
        """Keep each line once."""
        self.kept: list[bytes] = []
        self.away, self.code = False, 0

    def run(self, host: str, argv: list[str], *, input: bytes | None = None, **_: Any) -> Completed:  # noqa: A002
        """Log lines, search them, or look whether all are whole."""
        if argv[0] == "logger":
            if self.away:
                raise EngineError("no such host", remedy="")
            lines = (input or b"").decode().splitlines()
            self.kept += [json.dumps({"message": line}).encode() + b"\n" for line in lines]
            return Completed(self.code, "", "")
        assert host == "siem1"
        if argv[0] == "grep":
            found = [line.decode() for line in self.kept if re.search(argv[2].encode(), line)]
            return Completed(0, "".join(found), "")
        broken = sum(not line.endswith(b"}\n") for line in self.kept)
        return Completed(0, f"{broken}\n", "")


@pytest.fixture
def scene() -> Scene:
    return Scene(cast("Any", SimpleNamespace(lab=Collector(), site=SITE)), Subject("ct1"), lambda _: None)


def counted(scene: Scene, load: LogLines) -> Any:
    (count,) = load.count(scene)
    return count


def test_every_line_that_was_handed_over_is_counted(scene: Scene) -> None:
    load = LogLines("ct1", 5)
    load.send(scene, "before")
    load.send(scene, "during")
    assert str(counted(scene, load)) == "10 of 10 log lines of ct1 at siem1"
    assert counted(scene, load).good


def test_a_line_that_is_missing_double_or_broken_is_seen(scene: Scene) -> None:
    load, lab = LogLines("ct1", 5), cast("Collector", scene.lab)
    load.send(scene, "before")
    lost = lab.kept.pop()
    assert (counted(scene, load).found, counted(scene, load).good) == (4, False)
    lab.kept += [lost, lost]
    assert (counted(scene, load).twice, counted(scene, load).good) == (1, False)
    lab.kept[-1] = lost[:9]
    assert (counted(scene, load).broken, counted(scene, load).good) == (1, False)


def test_what_a_host_that_is_away_was_not_handed_is_not_counted(scene: Scene) -> None:
    load, lab = LogLines("ct1", 5), cast("Collector", scene.lab)
    lab.away = True
    load.send(scene, "during")
    lab.away = False
    load.send(scene, "after")
    assert counted(scene, load).wanted == 5
    lab.code = 1
    load.send(scene, "after")
    assert counted(scene, load).wanted == 5


def test_a_line_may_be_there_twice_only_of_a_host_whose_power_was_cut() -> None:
    assert not Count("lines", 20, 20, twice=1).good
    assert Count("lines", 20, 20, twice=20, may_repeat=SAID_AGAIN).good
    assert not Count("lines", 200, 200, twice=100, may_repeat=SAID_AGAIN).good
    assert not Count("lines", 20, 19, twice=1, may_repeat=SAID_AGAIN).good


def test_a_host_says_again_what_came_since_it_kept_its_place() -> None:
    settings = (ROOT / "roles" / "log_forwarder" / "files" / "rsyslog.conf").read_text("utf-8")
    assert f'persistStateInterval="{SAID_AGAIN + 1}"' in settings

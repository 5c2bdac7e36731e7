"""Many people read at once, and nothing counts where one of them is refused or sees what is somebody else's."""

from __future__ import annotations

import base64
import io
import json
import sys
import threading
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from lab.bench import crowd
from lab.bench.crowd import DEPARTMENTS, describe
from lab.bench.programs import program, readers
from lab.bench.viewer import Read, judged
from lab.errors import EngineError
from lab.settings import ROOT
from lab.topology.load import load_site
from lab.trust.one_time_password import one_time_password

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

GOOD = Read("load.000", signed_in=True, signing_in=1.0, first=0.5, seconds=2.0, frames=3, wrong=[])
USER = "pacslab:secret"


def test_what_is_as_it_has_to_be_counts() -> None:
    assert judged([GOOD, GOOD], 3) == [GOOD, GOOD]


@pytest.mark.parametrize(
    "found",
    [
        [],
        [GOOD, replace(GOOD, wrong=["was not let in"])],
        [GOOD, replace(GOOD, frames=2)],
        [replace(GOOD, wrong=["/studies tells of 2.2, of somebody else's"])],
    ],
    ids=["nobody", "refused", "too few images", "somebody else's"],
)
def test_anything_else_ends_the_measurement(found: list[Read]) -> None:
    with pytest.raises(EngineError, match="not as they have to be"):
        judged(found, 3)


def test_a_crowd_stands_in_the_description_and_is_of_two_departments(tmp_path: Path) -> None:
    people = crowd.crowd(50)
    assert len(people) == 50
    assert {department: list(people.values()).count(department) for department in DEPARTMENTS} == {
        "Radiology": 25,
        "Cardiology": 25,
    }
    path = tmp_path / "reference" / "topology.yml"
    path.parent.mkdir()
    path.write_text(describe((ROOT / "inventories" / "reference" / "topology.yml").read_text("utf-8"), people), "utf-8")
    site = load_site(path)
    assert site.topology.people.keys() >= people.keys() | {"a.rivera"}
    assert site.topology.people["load.001"].department == people["load.001"]


def test_a_clone_gets_its_people_and_limits_that_fit_one_workstation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "reference" / "topology.yml"
    (path.parent / "group_vars").mkdir(parents=True)
    path.write_text((ROOT / "inventories" / "reference" / "topology.yml").read_text("utf-8"), "utf-8")
    (path.parent / crowd.SETTINGS).write_text("sign_on_workers: 4\n")
    brought: list[Any] = []

    class BringUp:
        def __init__(self, lab: Any, _: object) -> None:
            self.lab = lab

        def run(self) -> None:
            brought.append(self.lab)

    monkeypatch.setattr(crowd, "LabBringUp", BringUp)
    from lab.engine.lab import Lab  # noqa: PLC0415 # the module under test is given another way to bring it up
    from lab.events import Bus  # noqa: PLC0415

    larger, people = crowd.enlarge(Lab.describe("x", path, tmp_path / "lab"), 2, Bus())
    assert brought == [larger]
    assert larger.site.topology.people.keys() >= people.keys()
    settings = yaml.safe_load((path.parent / crowd.SETTINGS).read_text())
    assert settings["sign_on_workers"] == 4
    assert settings["sign_on_attempts_per_minute"] > 50 * 2


def test_the_program_knows_codes_as_the_lab_does() -> None:
    seed = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
    for at in (59.0, 1111111109.0, 2000000000.5):
        assert readers.code(seed, at) == one_time_password(seed, at).code


class Archive(BaseHTTPRequestHandler):
    """A DICOMweb interface with one study of three images and another; what it does otherwise says ``fault``."""

    fault = ""

    def log_message(self, *_: object) -> None:
        """Nothing."""

    def do_GET(self) -> None:
        """Answer."""
        own = {"0020000D": {"Value": ["1.1"]}, "0020000E": {"Value": ["1.1.1"]}}
        objects = [{**own, "00080018": {"Value": [f"1.1.1.{n}"]}, "00280010": {"Value": [8]}} for n in range(3)]
        status, said = 200, b""
        if self.headers["Authorization"] != "Basic " + base64.b64encode(USER.encode()).decode():
            status = 401
        elif "/frames/" in self.path:
            status, said = (500, b"") if self.fault == "image" else (200, b"--x\r\n\r\nabc\r\n--x--")
        elif self.path.endswith("/metadata"):
            said = json.dumps(objects).encode()
        elif self.path.startswith("/studies?include"):
            foreign = [{"0020000D": {"Value": ["2.2"]}}] if self.fault == "foreign" else []
            said = json.dumps([*foreign, *([] if self.fault == "lost" else [own])]).encode()
        else:
            said = json.dumps([own]).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)


@contextmanager
def archive(fault: str = "") -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Own", (Archive,), {"fault": fault}))
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


def reads(base: str, monkeypatch: pytest.MonkeyPatch, user: str = USER) -> list[Read]:
    people = [{"name": str(number), "study": "1.1", "foreign": "2.2"} for number in range(4)]
    told = {"base": base, "images": 3, "readers": people, "user": user}
    out = io.StringIO()
    monkeypatch.setattr(sys, "stdin", io.StringIO(json.dumps(told)))
    monkeypatch.setattr(sys, "stdout", out)
    readers.main()
    return [Read(**entry) for entry in json.loads(out.getvalue())]


def test_each_reader_sees_each_image_at_once_with_others(monkeypatch: pytest.MonkeyPatch) -> None:
    with archive() as base:
        found = judged(reads(base, monkeypatch), 3)
    assert [read.name for read in found] == ["0", "1", "2", "3"]
    assert all(0 < read.first <= read.seconds for read in found)


@pytest.mark.parametrize(
    ("fault", "told"),
    [("image", "an image answers 500"), ("foreign", "of somebody else's"), ("lost", "does not find 1.1")],
)
def test_what_is_otherwise_is_told_of_who_met_it(fault: str, told: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with archive(fault) as base:
        found = reads(base, monkeypatch)
    assert all(any(told in wrong for wrong in read.wrong) for read in found)
    with pytest.raises(EngineError):
        judged(found, 3)


def test_who_is_refused_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with archive() as base:
        found = reads(base, monkeypatch, "pacslab:wrong")
    assert all("answers 401" in " ".join(read.wrong) for read in found)


def test_the_program_is_sent_as_it_stands() -> None:
    assert b"def main()" in program("readers.py")

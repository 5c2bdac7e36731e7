"""A file that is not as it was is told once, whoever changed it and whenever; what was announced raises nothing."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING, Any

import pytest

from tests.unit.lab.ansible.plugins import plugin
from tests.unit.roles.events import event_of_line
from tests.unit.roles.programs import role_program

if TYPE_CHECKING:
    from pathlib import Path

integrity = role_program("file_integrity", "integrity.py")
files = plugin("module_utils.files")


class Host:
    """A folder that stands for a host's programs, and what watches it."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """Begin with two files."""
        self.programs, self.state, self._capsys = folder / "programs", folder / "state", capsys
        (self.programs / "plugins").mkdir(parents=True)
        self.state.mkdir()
        self.write("orthanc.json", "{}")
        self.write("plugins/gate.py", "print(1)")
        self.watch = self.begin()

    def begin(self) -> Any:
        """Start what watches, as the service does."""
        return integrity.Watch([str(self.programs), str(self.programs / "none")], ["*.pyc", "*/crl.pem"], self.state)

    def write(self, name: str, text: str) -> None:
        """Change a file."""
        (self.programs / name).write_text(text)

    def told(self, looks: int = 2) -> list[tuple[str, str, str]]:
        """Look, and return what is told: file, change and outcome."""
        self._capsys.readouterr()
        for _ in range(looks):
            self.watch.turn()
        events = [event_of_line(line) for line in self._capsys.readouterr().out.splitlines()]
        return [
            (
                str(event.get("host_file", "")).removeprefix(f"{self.programs}/"),
                event.get("change", ""),
                event["outcome"],
            )
            for event in events
        ]


@pytest.fixture
def host(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Host:
    return Host(tmp_path, capsys)


def test_the_first_look_is_an_event_with_how_many_files_there_are(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Host(tmp_path, capsys)
    (line,) = capsys.readouterr().out.splitlines()
    event = event_of_line(line)
    assert (event["action"], event["outcome"], event["found"]) == ("start", "success", 2)


def test_what_is_as_it_was_is_silent(host: Host) -> None:
    assert host.told(3) == []


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda folder: (folder / "plugins/gate.py").write_text("print(2)"), ("plugins/gate.py", "update")),
        (lambda folder: (folder / "plugins/gate.py").chmod(0o777), ("plugins/gate.py", "update")),
        (lambda folder: os.chown(folder / "plugins/gate.py", 12, 12), ("plugins/gate.py", "update")),
        (lambda folder: (folder / "plugins/gate.py").unlink(), ("plugins/gate.py", "remove")),
        (lambda folder: (folder / "plugins/new.so").write_text("x"), ("plugins/new.so", "add")),
        (lambda folder: (folder / "plugins/a\nb").write_text("x"), ("plugins/a\nb", "add")),
    ],
)
def test_a_change_is_told_once(host: Host, change: Any, expected: tuple[str, str]) -> None:
    change(host.programs)
    assert host.told(1) == []  # it may not be over
    assert host.told(1) == [(*expected, "failed")]
    assert host.told(3) == []


def test_a_content_of_the_same_length_and_time_is_told(host: Host) -> None:
    path = host.programs / "plugins/gate.py"
    before = path.stat()
    path.write_text("print(9)")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert host.told() == [("plugins/gate.py", "update", "failed")]


def test_a_program_that_became_a_link_is_told(host: Host, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_text("x")
    (host.programs / "plugins/gate.py").unlink()
    (host.programs / "plugins/gate.py").symlink_to(tmp_path / "elsewhere")
    assert host.told() == [("plugins/gate.py", "remove", "failed")]


def test_what_changed_while_nobody_looked_is_told(host: Host) -> None:
    host.write("plugins/gate.py", "print(3)")
    host.watch = host.begin()
    assert host.told() == [("plugins/gate.py", "update", "failed")]


def test_what_services_write_themselves_is_left_out(host: Host) -> None:
    host.write("crl.pem", "x")
    host.write("plugins/gate.pyc", "x")
    assert host.told() == []


def test_what_a_configuration_run_announces_is_told_as_such(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "ANNOUNCED", host.state / "changed")
    (host.programs / "old.json").write_text("{}")
    host.told()
    mine = {"mode": 0o640, "uid": os.getuid(), "gid": os.getgid()}
    path, gone, new = (str(host.programs / name) for name in ("orthanc.json", "old.json", "new.json"))
    plan = [
        files.Change(path, files.read(path), files.Entry(b'{"a": 1}', **mine), secret=False),
        files.Change(gone, files.read(gone), files.Entry(), secret=False),
        files.Change(new, files.Entry(), files.Entry(b"x", **mine), secret=False),
    ]
    files.announce(plan)
    assert host.told() == []  # announced, and not done
    files.apply(plan, [])
    assert sorted(host.told()) == [
        ("new.json", "add", "success"),
        ("old.json", "remove", "success"),
        ("orthanc.json", "update", "success"),
    ]
    host.write("orthanc.json", "another")
    assert host.told() == [("orthanc.json", "update", "failed")]


def test_another_mode_than_what_was_announced_is_told(host: Host) -> None:
    digest = hashlib.sha256(b"new").hexdigest()
    line = f"{digest} 0644 {os.getuid()} {os.getgid()} {host.programs}/orthanc.json\n"
    (host.state / "changed").write_text(line)
    host.write("orthanc.json", "new")
    (host.programs / "orthanc.json").chmod(0o666)
    assert host.told() == [("orthanc.json", "update", "failed")]


def test_without_a_watch_nothing_is_announced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "ANNOUNCED", tmp_path / "none/changed")
    files.announce([files.Change("/x", files.Entry(), files.Entry(b"x", 0o600, 0, 0), secret=False)])
    assert list(tmp_path.iterdir()) == []


def test_announcements_have_a_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "ANNOUNCED", tmp_path / "changed")
    monkeypatch.setattr(files, "MOST_ANNOUNCED", 4096)
    for number in range(200):
        files.announce([files.Change(f"/x{number}", files.Entry(), files.Entry(b"x", 0o600, 0, 0), secret=False)])
    lines = (tmp_path / "changed").read_text().splitlines()
    assert lines[-1].endswith(" /x199")
    assert len(lines) < 100
    assert all(len(line.split(" ")) == 5 for line in lines)


def test_many_changes_at_once_are_counted(host: Host) -> None:
    for number in range(integrity.MOST + 10):
        host.write(f"plugins/{number:03}", "x")
    told = host.told()
    assert len(told) == integrity.MOST + 1
    assert told[-1] == ("", "", "failed")

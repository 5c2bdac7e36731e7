"""The action configure writes what differs, all of it or nothing, and finishes what an interrupted run began."""

from __future__ import annotations

import base64
import grp
import json
import os
import pwd
import zlib
from typing import TYPE_CHECKING, Any

import pytest

from tests.unit.lab.ansible.plugins import plugin

if TYPE_CHECKING:
    from pathlib import Path

command = plugin("module_utils.command")
files = plugin("module_utils.files")
module = plugin("modules.configure")

OWNER = {"owner": pwd.getpwuid(os.getuid()).pw_name, "group": grp.getgrgid(os.getgid()).gr_name}


class Host:
    """A folder that stands for a host, and tasks that are run on it."""

    def __init__(self, folder: Path) -> None:
        """Start without any file."""
        self.folder = folder

    def task(self, contents: dict[str, str], *, check: bool = False, **options: Any) -> dict[str, Any]:
        """Run the module for files with these contents."""
        entries = [
            {"dest": str(self.folder / name), "mode": "0640", "secret": False, **OWNER, **options.pop(name, {})}
            for name in contents
        ]
        packed = json.dumps([base64.b64encode(text.encode()).decode() for text in contents.values()]).encode()
        asked = {
            "files": entries,
            "payload": base64.b64encode(zlib.compress(packed)).decode(),
            **{
                name: [] for name in ("remove", "trees", "validate", "commands", "enable", "early", "restart", "reload")
            },
            **options,
        }
        result: dict[str, Any] = module.configure(asked, check=check, diff=True)
        return result

    def read(self, name: str) -> str:
        """What is in a file."""
        return (self.folder / name).read_text("utf-8")

    def names(self) -> list[str]:
        """Everything below the folder."""
        return sorted(str(path.relative_to(self.folder)) for path in self.folder.rglob("*") if path.is_file())


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Host:
    monkeypatch.setattr(module, "PENDING_DIR", tmp_path / "pending")
    folder = tmp_path / "host"
    folder.mkdir()
    return Host(folder)


def test_files_are_written_with_their_folders_and_modes(host: Host) -> None:
    result = host.task({"a/b.conf": "text\n"})
    assert result["changed"]
    assert host.read("a/b.conf") == "text\n"
    assert (host.folder / "a/b.conf").stat().st_mode & 0o777 == 0o640
    assert (host.folder / "a").stat().st_mode & 0o777 == 0o755


def test_what_is_as_wanted_is_left_alone(host: Host) -> None:
    host.task({"a": "text\n"})
    before = (host.folder / "a").stat()
    assert not host.task({"a": "text\n"}, commands=[["false"]])["changed"]
    assert (host.folder / "a").stat() == before


def test_a_mode_alone_is_a_difference(host: Host) -> None:
    host.task({"a": "text\n"})
    (host.folder / "a").chmod(0o644)
    assert host.task({"a": "text\n"})["changed"]
    assert (host.folder / "a").stat().st_mode & 0o777 == 0o640


def test_check_mode_tells_and_changes_nothing(host: Host) -> None:
    result = host.task({"a": "new\n"}, check=True)
    assert result["changed"]
    assert result["diff"][0]["after"] == "new\n"
    assert host.names() == []


def test_check_mode_foretells_what_the_task_then_does(host: Host) -> None:
    again = {"commands": [["true"]], "validate": [["test", "-e", str(host.folder / "a")]]}
    told = host.task({"a": "new\n"}, check=True, **again)
    done = host.task({"a": "new\n"}, **again)
    assert [told[key] for key in ("changed", "files", "commands", "units")] == [
        done[key] for key in ("changed", "files", "commands", "units")
    ]
    assert not host.task({"a": "new\n"}, check=True, **again)["changed"]


def test_check_mode_says_what_it_cannot_know(host: Host) -> None:
    (host.folder / "a").write_text("old\n")
    told = host.task(
        {"a": "new\n"},
        check=True,
        a={"owner": "nobody-of-that-name"},
        validate=[["no-such-judge", "-c"]],
        commands=[["no-such-command"]],
    )
    assert told["changed"]
    assert [sentence.partition(":")[0] for sentence in told["unchecked"]] == [
        str(host.folder / "a"),
        "not validated, since the new files are not in place",
        "not run, so what it changes is not known",
    ]
    assert host.read("a") == "old\n"


def test_a_secret_is_never_shown(host: Host) -> None:
    host.task({"key": "old secret"}, key={"secret": True})
    shown = json.dumps(host.task({"key": "new secret"}, key={"secret": True}))
    assert "old secret" not in shown
    assert "new secret" not in shown
    assert host.read("key") == "new secret"


def test_when_validation_fails_all_former_files_are_back(host: Host) -> None:
    host.task({"a": "old\n", "gone": "here\n"})
    (host.folder / "link").symlink_to("a")
    with pytest.raises(command.ConfigureError, match="former files are back"):
        host.task(
            {"a": "new\n", "b": "new\n", "link": "new\n"},
            remove=[str(host.folder / "gone")],
            validate=[["test", "-e", str(host.folder / "b")], ["sh", "-c", "echo wrong line 3; exit 1"]],
        )
    assert host.names() == ["a", "gone", "link"]
    assert host.read("a") == "old\n"
    assert (host.folder / "link").readlink().name == "a"


def test_a_failed_validation_says_what_the_command_said(host: Host) -> None:
    with pytest.raises(command.ConfigureError, match="wrong line 3"):
        host.task({"a": "x"}, validate=[["sh", "-c", "echo wrong line 3; exit 1"]])


def test_validation_sees_the_new_files(host: Host) -> None:
    host.task({"a": "old\n"})
    host.task({"a": "new\n"}, validate=[["grep", "-q", "new", str(host.folder / "a")]])
    assert host.read("a") == "new\n"


def test_commands_run_only_when_a_file_changed(host: Host) -> None:
    count = host.folder / "count"
    again = [["sh", "-c", f"echo ran >> {count}"]]
    host.task({"a": "1"}, commands=again)
    host.task({"a": "1"}, commands=again)
    assert count.read_text() == "ran\n"


def test_a_run_that_was_cut_off_before_its_commands_is_finished_by_the_next(host: Host) -> None:
    count = host.folder / "count"
    with pytest.raises(command.ConfigureError):
        host.task({"a": "1"}, commands=[["false"]])
    assert host.read("a") == "1"
    assert host.task({"a": "1"}, commands=[["touch", str(count)]])["changed"]
    assert count.exists()
    assert not host.task({"a": "1"}, commands=[["false"]])["changed"]


def test_files_are_removed_and_removing_again_changes_nothing(host: Host) -> None:
    host.task({"a": "1"})
    remove = [str(host.folder / "a")]
    assert host.task({}, remove=remove)["changed"]
    assert not host.task({}, remove=remove)["changed"]
    assert host.names() == []


def test_a_tree_holds_nothing_but_its_files_and_compiled_python(host: Host) -> None:
    for name in ("tree/old.py", "tree/sub/old.py", "tree/__pycache__/x.pyc"):
        (host.folder / name).parent.mkdir(parents=True, exist_ok=True)
        (host.folder / name).write_text("x")
    host.task({"tree/new.py": "x"}, trees=[str(host.folder / "tree")])
    assert host.names() == ["tree/__pycache__/x.pyc", "tree/new.py"]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"a": {"mode": "rw"}}, "not an octal string"),
        ({"a": {"owner": "nobody-of-that-name"}}, "install.yml must create it"),
        ({"a": {"dest": "relative"}}, "not an absolute path"),
    ],
)
def test_an_entry_that_cannot_be_is_refused(host: Host, options: dict[str, Any], says: str) -> None:
    with pytest.raises(command.ConfigureError, match=says):
        host.task({"a": "x"}, **options)
    assert host.names() == []


def test_a_file_named_twice_is_refused(host: Host) -> None:
    with pytest.raises(command.ConfigureError, match="more than once"):
        host.task({"a": "x"}, remove=[str(host.folder / "a")])


def test_a_folder_in_the_place_of_a_file_is_not_removed(host: Host) -> None:
    (host.folder / "a").mkdir()
    with pytest.raises(command.ConfigureError, match="is not a file"):
        host.task({"a": "x"})


def test_without_its_action_the_module_refuses() -> None:
    asked = {"files": [{"dest": "/x"}], "payload": None}
    with pytest.raises(command.ConfigureError, match="action plugin"):
        module.configure(asked, check=True, diff=False)

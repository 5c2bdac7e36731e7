"""The command line: every verb is found, explained and fast, and errors say what to do."""

from __future__ import annotations

import json
import subprocess
import sys
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from lab.cli import main as cli
from lab.cli.main import VERBS, Parser, build_parser, main
from lab.errors import UnhealthyError
from lab.settings import ROOT

if TYPE_CHECKING:
    import argparse
    from pathlib import Path

HEAVY = {"pydantic", "ansible", "ansible_runner", "docker", "yaml", "rich", "cryptography", "jinja2"}


def modules_after(code: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys; print('\\n'.join(sys.modules))"],
        capture_output=True,
        text=True,
        check=True,
    )
    return {line.partition(".")[0] for line in done.stdout.splitlines()}


@pytest.mark.parametrize("module", ["lab.cli.main", "lab.cli.status", "lab.cli.exec", "lab.cli.logs"])
def test_fast_verbs_import_nothing_slow(module: str) -> None:
    assert not HEAVY & modules_after(f"import {module}")


def test_help_lists_every_verb_and_exits_with_0(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["--help"])
    assert end.value.code == 0
    text = capsys.readouterr().out
    assert [verb for verb in VERBS if f"\n  {verb} " not in text] == []


def test_an_unknown_verb_exits_with_2_and_suggests_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["stats"])
    assert end.value.code == 2
    assert "'status'" in capsys.readouterr().err


def test_a_verbs_help_shows_its_example(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["exec", "--help"])
    assert end.value.code == 0
    assert "pacslab exec ct1 -- ip address" in capsys.readouterr().out


@pytest.mark.parametrize(
    "verb", ["up", "plan", "check", "status", "exec", "logs", "down", "snapshot", "forward", "doctor"]
)
def test_every_verb_has_a_page(verb: str) -> None:
    page = ROOT / "docs" / f"{verb}.md"
    assert page.read_text("utf-8").startswith(f"# pacslab {verb}")


def flags(arguments: list[str]) -> argparse.Namespace:
    parser = Parser()
    parser.add_argument("--keep-going", action="store_true")
    parser.add_argument("--timeout", type=float, default=5)
    return parser.parse_args(arguments)


def test_each_flag_takes_its_default_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PACSLAB_KEEP_GOING", "yes")
    monkeypatch.setenv("PACSLAB_TIMEOUT", "7")
    assert vars(flags([])) == {"keep_going": True, "timeout": 7.0}


def test_a_flag_given_is_stronger_than_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PACSLAB_TIMEOUT", "7")
    assert flags(["--timeout", "9"]).timeout == 9


def test_a_switch_stays_off_when_the_environment_says_no(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PACSLAB_KEEP_GOING", "0")
    assert not flags([]).keep_going


@pytest.mark.parametrize("before", [["ct1", "--lab", "x"], ["--lab", "x", "ct1"]])
def test_what_follows_two_hyphens_is_the_command_whatever_it_looks_like(before: list[str]) -> None:
    from lab.cli import exec as verb  # noqa: PLC0415 # the verb's own module

    arguments = build_parser("exec", verb).parse_args([*before, "--", "sh", "-c", "--", "ls", "--json"])
    assert (arguments.host, arguments.lab, arguments.command) == ("ct1", "x", ["sh", "-c", "--", "ls", "--json"])
    assert not arguments.json


def failing_verb(error: BaseException) -> SimpleNamespace:
    def run(_: argparse.Namespace) -> int:
        raise error

    return SimpleNamespace(EXAMPLE="pacslab status", add_arguments=lambda _: None, run=run)


@pytest.mark.parametrize("json_wanted", [True, False])
def test_an_error_is_told_with_its_remedy_and_exit_code(
    *,
    json_wanted: bool,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    error = UnhealthyError("ct1 is ill.", remedy="Look at it.")
    monkeypatch.setattr(cli.importlib, "import_module", lambda _: failing_verb(error))
    with pytest.raises(SystemExit) as end:
        main(["status", "--json"] if json_wanted else ["status"])
    assert end.value.code == 3
    out, err = capsys.readouterr()
    if json_wanted:
        assert json.loads(out) == {"error": "UnhealthyError", "message": "ct1 is ill.", "remedy": "Look at it."}
    else:
        assert "ct1 is ill." in err
        assert "Look at it." in err


ENDED = """
import sys, time, types
import lab.cli.main as cli

def run(arguments):
    try:
        print("begun", flush=True)
        time.sleep(60)
    finally:
        print("removed", flush=True)

cli.importlib.import_module = lambda _: types.SimpleNamespace(EXAMPLE="none", add_arguments=lambda _: None, run=run)
cli.main(["status"])
"""


def test_an_order_to_end_is_taken_like_ctrl_c() -> None:
    with subprocess.Popen([sys.executable, "-c", ENDED], cwd=ROOT, stdout=subprocess.PIPE, text=True) as started:
        assert started.stdout is not None
        assert started.stdout.readline() == "begun\n"
        started.terminate()
        assert started.stdout.read() == "removed\n"
    assert started.returncode == 143


def test_ctrl_c_exits_with_130(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli.importlib, "import_module", lambda _: failing_verb(KeyboardInterrupt()))
    with pytest.raises(SystemExit) as end:
        main(["status"])
    assert end.value.code == 130


def test_the_status_of_a_lab_that_is_not_there_exits_with_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PACSLAB_STATE", str(tmp_path))
    with pytest.raises(SystemExit) as end:
        main(["status", "--lab", "nowhere"])
    assert end.value.code == 2
    assert "pacslab up --lab nowhere" in capsys.readouterr().err

"""The night's fuzz tries what it says, finds what it is to find, and some of its inputs are tried here too."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lab.cli.main import VERBS
from tests.night.fuzz import damage
from tests.night.fuzz.attempts import Trial, seeded, states, streams
from tests.night.fuzz.engine import engine
from tests.night.fuzz.state import LAB, make_state
from tests.night.fuzz.trying import Attempt, wrong
from tests.night.fuzz.words import hostile

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trial]:
    place = tmp_path_factory.mktemp("fuzz")
    site = make_state(place / "good" / "state")
    with engine(place / "docker", LAB, list(site.hosts)) as docker:
        yield Trial(place / "good" / "state", place, docker)


def test_the_good_state_is_good_and_verbs_read_it(trial: Trial) -> None:
    for words in (("status",), ("runs", "show", "last"), ("pki", "list"), ("snapshot", "list"), ("plan",), ("doctor",)):
        attempt = Attempt(words)
        assert trial.fixed(900, attempt) == (attempt, "")
        file = {
            "pki": "pki/index.txt",
            "runs": "runs",
            "doctor": "forwards/8443.json",
            "snapshot": "",
            "plan": "lab.json",
        }
        path = file.get(words[0], "lab.json")
        damaged = trial.done(attempt, lambda state, path=path: spoil(state, path))
        assert damaged != trial.done(attempt, lambda _: None), words


def spoil(state: Path, path: str) -> None:
    """Take what a verb reads away from it."""
    target = state / LAB / path if path else state / "snapshots" / "monday" / "snapshot.json"
    if target.is_dir():
        target.rename(state / "elsewhere")
    else:
        target.write_text("{")


def test_every_verb_gets_hostile_words(trial: Trial) -> None:
    del trial
    tried = {words[0] for seed in range(400) for words, _ in [hostile(seeded(str(seed)))] if words}
    assert set(VERBS) <= tried


def test_every_file_of_the_state_is_damaged(trial: Trial) -> None:
    names = {path.name for path in trial.files}
    assert names >= {
        "lab.json", "configured.json", "secrets.json", "run.jsonl", "manifest.json", "results.jsonl", "summary.json",
        "snapshot.json", "tried-roles.json", "8443.json", "index.txt", "crl.pem", "root.key", "topology.yml",
        "site.json",
    }  # fmt: skip


@pytest.mark.parametrize("way", dict.fromkeys(damage.WAYS), ids=lambda way: way.__name__)
def test_every_way_of_damage_changes_the_file(way: object, tmp_path: Path) -> None:
    path = tmp_path / "folder" / "file.json"
    path.parent.mkdir()
    text = '{"hosts": {"ct1": {"zone": "z"}}, "lab": "x"}'
    for seed in range(3):  # a cut may come at the very end
        path.write_text(text)
        way(path, seeded(str(seed)))  # type: ignore[operator] # one of the functions of the tuple
        if not path.is_file() or path.read_bytes() != text.encode():
            return
    pytest.fail("the file is as it was")


@pytest.mark.parametrize(
    ("script", "sign"),
    [
        ("raise KeyError('x')", "Traceback"),
        ("import os; os._exit(77)", "exit code 77"),
        ("print('no json')", "no JSON"),
    ],
)
def test_what_no_verb_may_do_is_found(
    script: str, sign: str, trial: Trial, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "lab" / "cli").mkdir(parents=True)
    (tmp_path / "lab" / "cli" / "main.py").write_text(script)
    monkeypatch.setattr("tests.night.fuzz.trying.ROOT", tmp_path)
    found = wrong(Attempt(("status", "--json")), tmp_path / "state", trial.docker, trial.path)
    assert sign in found


FOUND = (
    Attempt(("forward", "fw1:1", "--as", "fw1", "--local", "99999")),
    Attempt(("forward", "fw1:²", "--as", "fw1")),
    Attempt(("up", "--timeout", "-5")),
    Attempt(("up", "--lab", "a" * 300)),
    Attempt(("up", "--site", "a" * 300)),
    Attempt(("status", "--lab", "x\n")),
    Attempt(("verify",), {"PACSLAB_HOST": "fw1"}),
    Attempt(("pki", "revoke", "fw1", "syslog"), {"PACSLAB_REASON": "whim"}),
    Attempt(("status",), {"PACSLAB_STATE": "/dev/null"}),
    Attempt(("up",), {"PACSLAB_STATE": "/dev/null"}),
    Attempt(("--help",), stdout="/dev/full"),
    Attempt(("status", "--json"), stdout="closed"),
    Attempt(("exec", "fw1", "--", "id"), stdin="closed"),
)


@pytest.mark.parametrize("attempt", FOUND, ids=str)
def test_what_was_found_once_is_not_found_again(attempt: Attempt, trial: Trial) -> None:
    assert trial.fixed(FOUND.index(attempt), attempt)[1] == ""


@pytest.mark.parametrize("verb", ["status", "doctor", "exec", "up", "plan", "down", "logs"])
def test_a_record_with_a_list_of_numbers_for_hosts_breaks_no_verb(verb: str, trial: Trial, tmp_path: Path) -> None:
    (tmp_path / "state" / LAB).mkdir(parents=True)
    (tmp_path / "state" / LAB / "lab.json").write_text('{"hosts":[1,2]}')
    words = (verb, *{"exec": ("fw1", "--", "id"), "logs": ("fw1",)}.get(verb, ()), "--lab", LAB)
    assert wrong(Attempt(words), tmp_path / "state", trial.docker, trial.path) == ""


def test_more_than_two_hundred_inputs_are_fixed_or_seeded() -> None:
    assert len([*streams(), *states()]) > 100


@pytest.mark.parametrize("seed", range(6))
def test_a_sample_of_the_night_finds_nothing(seed: int, trial: Trial) -> None:
    assert trial.words(seed)[1] == ""
    assert trial.damaged(seed * 37)[1] == ""

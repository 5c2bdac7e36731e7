"""What is tried, from a seed: hostile words, damaged files, and streams that are full or closed."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from dataclasses import replace
from random import Random
from typing import TYPE_CHECKING

from tests.night.fuzz import damage
from tests.night.fuzz.state import ISSUED, files
from tests.night.fuzz.trying import Attempt, done, tools, wrong
from tests.night.fuzz.words import ASKING, every_verb, hostile, reading

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

FULL, CLOSED = "/dev/full", "closed"
PRINTED = {
    "an object": b"{}", "a list": b"[]", "nothing in JSON": b"null", "a list of lists": b"[[]]", "a number": b"1e999",
    "a text": b'"x"', "no UTF-8": b"\xff\xfe\x1b[2J", "depths": b"[" * 100_000, "lines": b"a\nb\n" * 1000,
    "an object of nothing": b'{"hosts": null, "services": [], "packages": 1, "uuid": {}}',
}  # fmt: skip
"""What hosts may print, besides nothing, which they print where nothing else is said."""


def seeded(text: str) -> Random:
    """A generator that gives the same again for the same text."""
    return Random(text)  # noqa: S311 # nothing secret is made with it


def streams() -> Iterator[Attempt]:
    """Every verb's help, and a result of JSON, with each stream full or closed."""
    commands = [("--help",), (), ("nothing",), *((verb, "--help") for verb in every_verb())]
    commands += [("status", "--json"), ("doctor", "--json"), ("plan", "--json"), ("schema",), ("down", "--json")]
    commands += [("exec", "fw1", "--", "id"), ("scenario", "list", "--json"), ("verify", "list", "--json")]
    for words in commands:
        yield Attempt(words, stdout=FULL)
        yield Attempt(words, stdout=CLOSED)
        yield Attempt(words, stderr=FULL)
        yield Attempt(words, stderr=CLOSED, stdin=CLOSED)
        yield Attempt(words, stdout=CLOSED, stderr=CLOSED, stdin=CLOSED)


def states() -> Iterator[Attempt]:
    """A state folder that is none."""
    # never empty: that is the state folder of this checkout, which somebody uses
    for place in ("/dev/null", "/dev/full", "/proc", "/proc/1/mem", "a" * 5000, "\n", "no/such"):
        for words in (
            ("status",),
            ("doctor",),
            ("up",),
            ("down",),
            ("plan", "--json"),
            ("snapshot", "list"),
            ("runs",),
        ):
            yield Attempt(words, {"PACSLAB_STATE": place})


def asking() -> Iterator[Attempt]:
    """Every command that asks hosts for something."""
    for words in ASKING:
        yield Attempt(words)


def try_words(random: Random) -> Attempt:
    """Hostile words."""
    words, environment = hostile(random)
    return Attempt(tuple(word.replace("\0", "") for word in words), environment)


def try_damage(random: Random, state: Path, path: Path) -> Attempt:
    """A damaged file, and a command that may read it."""
    way = random.choice(damage.WAYS)
    way(state.parent / path, random)
    return Attempt(reading(random), about=f"{path}: {way.__name__}")


class Trial:
    """Tries attempts, each on a state folder of its own that is a copy of a good one."""

    def __init__(self, good: Path, work: Path, docker: str) -> None:
        """``good`` is the state folder that is copied; ``work`` is where copies are made."""
        self.good, self.work, self.docker = good, work, docker
        self.files = files(good)
        self.path = tools(work / "tools")

    def words(self, seed: int) -> tuple[Attempt, str]:
        """Try hostile words."""
        return self._on_copy(f"words-{seed}", lambda _: try_words(seeded(f"words {seed}")))

    def damaged(self, seed: int) -> tuple[Attempt, str]:
        """Try a command on a state with a damaged file; seeds that follow each other go through all files."""
        random = seeded(f"damage {seed}")
        path = self.files[seed % len(self.files)]
        return self._on_copy(f"damage-{seed}", lambda state: try_damage(random, state, path))

    def answered(self, docker: str, printed: str, attempt: Attempt) -> tuple[Attempt, str]:
        """Try a command where hosts print something else; `docker` leads to such hosts."""
        named = replace(attempt, environment={"DOCKER_HOST": docker}, about=f"hosts print {printed}")
        place = "-".join((printed, *attempt.words)).replace("/", "_").replace(" ", "_")
        return self._on_copy(place, lambda _: named)

    def fixed(self, number: int, attempt: Attempt) -> tuple[Attempt, str]:
        """Try what is the same every time."""
        return self._on_copy(f"fixed-{number}", lambda _: attempt)

    def done(self, attempt: Attempt, change: Callable[[Path], None]) -> tuple[int, bytes]:
        """The exit code and the output of a command on a copy of the state that was changed."""
        with self._copy("done") as state:
            change(state)
            ended = done(attempt, state, self.docker, self.path)
        return ended.returncode, (ended.stdout + ended.stderr).replace(str(state).encode(), b"STATE")

    def _on_copy(self, name: str, attempt_on: Callable[[Path], Attempt]) -> tuple[Attempt, str]:
        with self._copy(name) as state:
            attempt = attempt_on(state)
            return attempt, wrong(attempt, state, self.docker, self.path)

    @contextmanager
    def _copy(self, name: str) -> Iterator[Path]:
        place = self.work / name
        shutil.copytree(self.good, place / "state", symlinks=True)
        shutil.copytree(self.good.parent / ISSUED, place / ISSUED)
        try:
            yield place / "state"
        finally:
            shutil.rmtree(place, ignore_errors=True)

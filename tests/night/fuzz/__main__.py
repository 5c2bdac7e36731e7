"""Tries the command line and the state folder with what nobody wrote there, and ends with 1 when a traceback is found.

Usage: ``python -m tests.night.fuzz [--inputs N] [--seed N]``. Each input is named by its seed, and is the same again
when it is tried again.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from tests.night.fuzz.attempts import PRINTED, Trial, asking, states, streams
from tests.night.fuzz.engine import engine
from tests.night.fuzz.state import LAB, make_state

INPUTS = 300
"""Of hostile words, and as many of damaged files."""
WORKERS = 3


def main(words: list[str]) -> int:
    """Try all; print what is wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.night.fuzz")
    parser.add_argument("--inputs", type=int, default=INPUTS, help="hostile command lines, and as many damaged files")
    parser.add_argument("--seed", type=int, default=0, help="the first seed")
    arguments = parser.parse_args(words)
    with tempfile.TemporaryDirectory(prefix="pacslab-fuzz-") as folder:
        place = Path(folder)
        site = make_state(place / "good" / "state")
        with ExitStack() as stack:
            docker = stack.enter_context(engine(place / "docker", LAB, list(site.hosts)))
            trial = Trial(place / "good" / "state", place, docker)
            seeds = range(arguments.seed, arguments.seed + arguments.inputs)
            tries = [partial(trial.fixed, number, attempt) for number, attempt in enumerate([*streams(), *states()])]
            tries += [partial(trial.words, seed) for seed in seeds]
            tries += [partial(trial.damaged, seed) for seed in seeds]
            for number, (name, printed) in enumerate(PRINTED.items()):
                other = stack.enter_context(engine(place / f"docker-{number}", LAB, list(site.hosts), printed))
                tries += [partial(trial.answered, other, name, attempt) for attempt in asking()]
            found = 0
            with ThreadPoolExecutor(WORKERS) as pool:
                for attempt, why in pool.map(lambda attempt: attempt(), tries):
                    if why:
                        found += 1
                        sys.stdout.write(f"{attempt}\n    {why}\n\n")
                        sys.stdout.flush()
    sys.stdout.write(f"{len(tries)} inputs, {found} of them ended as none may\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

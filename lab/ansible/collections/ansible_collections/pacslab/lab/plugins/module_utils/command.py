"""Run one command on a host, with its output in the error when it fails."""

from __future__ import annotations

import os
import subprocess

TIME_LIMIT = 900  # seconds for one command; installing Python packages on a busy machine takes the longest
SEARCH_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class ConfigureError(Exception):
    """The task cannot be done; the text says why and on which file, command or unit."""


def run(argv: list[str]) -> str:
    """Run a command and return what it printed on both streams.

    Raises:
        ConfigureError: it is not there, takes too long, or ends with another code than 0.
    """
    environment = {**os.environ, "LC_ALL": "C.UTF-8", "PATH": SEARCH_PATH}
    words = [str(word) for word in argv]
    try:
        done = subprocess.run(
            words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=TIME_LIMIT,
            check=False,
            env=environment,
        )
    except FileNotFoundError as error:
        raise ConfigureError(f"{words[0]}: no such command on this host") from error
    except subprocess.TimeoutExpired as error:
        raise ConfigureError(f"{' '.join(words)}: no end within {TIME_LIMIT} s") from error
    output = done.stdout.decode("utf-8", "replace").strip()
    if done.returncode:
        raise ConfigureError(f"{' '.join(words)} ended with {done.returncode}: {output[-2000:]}")
    return output

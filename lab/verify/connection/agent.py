"""Runs commands on the machine it was sent to, for as long as its input stays open; standard library only.

It is sent as text, so nothing is installed. Requests and answers are frames:

- request: a line of JSON ``{"commands": [text, ...], "timeout": seconds, "together": bool}``;
- answer, one for each command in the order asked: a line of JSON ``{"code", "out", "err", "native"}`` with the lengths
  of the two outputs, then the outputs themselves, unchanged.

A command runs as ``/bin/sh -c`` would run it from ``docker exec``: no input, the environment that the agent was started
with, the same working folder. After ``timeout`` seconds its whole process group is killed and the code is 124.

What Testinfra's own modules ask most (``stat``, ``test``, ``cat``, ``sysctl``) is answered without starting a process,
and only where the answer is certain: whatever is unusual is left to the real command, with its own words and codes.
"""

from __future__ import annotations

import grp
import json
import os
import pwd
import re
import signal
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

TIMED_OUT = 124
AT_ONCE = 2
PATH = r"(?:'(?P<quoted>[^']+)'|(?P<plain>[A-Za-z0-9/._@%+=:,-]+))"
"""A path as ``shlex.quote`` writes it, without quotes of its own."""
STAT = re.compile(r"stat -Lc %(?P<what>[UuGgaYsi]) " + PATH)
TEST = re.compile(r"test -(?P<what>[efdpSL]) " + PATH)
CAT = re.compile(r"cat -- " + PATH)
SYSCTL = re.compile(r"(?:/usr)?/sbin/sysctl -n (?:-e )?(?P<name>[a-z0-9_.]+)")
LARGEST = 1 << 20
"""Bytes; a larger file is left to the real ``cat``."""
Answer = tuple[int, bytes, bytes]


def _path(match: re.Match[str]) -> str:
    return match["quoted"] or match["plain"]


def _stat(match: re.Match[str]) -> Answer:
    found = os.stat(_path(match))  # noqa: PTH116 # a Path costs more than the call
    text = {
        "U": lambda: pwd.getpwuid(found.st_uid).pw_name,
        "u": lambda: str(found.st_uid),
        "G": lambda: grp.getgrgid(found.st_gid).gr_name,
        "g": lambda: str(found.st_gid),
        "a": lambda: format(stat.S_IMODE(found.st_mode), "o"),
        "Y": lambda: str(found.st_mtime_ns // 10**9),
        "s": lambda: str(found.st_size),
        "i": lambda: str(found.st_ino),
    }[match["what"]]()
    return 0, f"{text}\n".encode(), b""


def _test(match: re.Match[str]) -> Answer:
    path, what = _path(match), match["what"]
    try:
        mode = (os.lstat if what == "L" else os.stat)(path).st_mode
    except (FileNotFoundError, NotADirectoryError):
        return 1, b"", b""
    holds = {
        "e": bool,
        "f": stat.S_ISREG,
        "d": stat.S_ISDIR,
        "p": stat.S_ISFIFO,
        "S": stat.S_ISSOCK,
        "L": stat.S_ISLNK,
    }[what](mode)
    return (0 if holds else 1), b"", b""


def _cat(match: re.Match[str]) -> Answer:
    with open(_path(match), "rb") as file:  # noqa: PTH123 # a Path costs more than the call
        data = file.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise OSError("left to the command")
    return 0, data, b""


def _sysctl(match: re.Match[str]) -> Answer:
    with open("/proc/sys/" + match["name"].replace(".", "/"), "rb") as file:  # noqa: PTH123 # likewise
        data = file.read()
    if data.count(b"\n") != 1:
        raise OSError("left to the command")
    return 0, data, b""


NATIVE = ((STAT, _stat), (TEST, _test), (CAT, _cat), (SYSCTL, _sysctl))


def native(command: str) -> Answer | None:
    """The answer to a command that needs no process, or None where the command itself has to be run."""
    for pattern, answer in NATIVE:
        match = pattern.fullmatch(command)
        if match:
            try:
                return answer(match)
            except (OSError, KeyError, ValueError):
                return None
    return None


def started_with() -> dict[bytes, bytes]:
    """The environment that this program was started with: Python itself adds LC_CTYPE to it where no locale is set."""
    try:
        with open("/proc/self/environ", "rb") as file:  # noqa: PTH123 # likewise
            pairs = [entry.partition(b"=") for entry in file.read().split(b"\0") if entry]
    except OSError:
        return dict(os.environb)
    return {name: value for name, _, value in pairs}


ENVIRONMENT = started_with()


def run(command: str, timeout: float) -> Answer:
    """Run a command with the shell."""
    process = subprocess.Popen(
        ["/bin/sh", "-c", command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=ENVIRONMENT,
        start_new_session=True,
    )
    try:
        out, err = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        out, err = process.communicate()
        return TIMED_OUT, out, err
    # docker exec gives 128 + N for a command that a signal ended
    return (process.returncode if process.returncode >= 0 else 128 - process.returncode), out, err


def serve() -> None:
    """Answer requests until the input ends."""
    requests, answers = sys.stdin.buffer, sys.stdout.buffer
    with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
        for line in requests:
            request = json.loads(line)
            timeout = request["timeout"]

            def answer(command: str, timeout: float = timeout) -> tuple[bool, Answer]:
                found = native(command)
                return (False, run(command, timeout)) if found is None else (True, found)

            commands = request["commands"]
            for at_once, (code, out, err) in pool.map(answer, commands) if len(commands) > 1 else map(answer, commands):
                head = {"code": code, "out": len(out), "err": len(err), "native": at_once}
                answers.write(json.dumps(head).encode() + b"\n" + out + err)
                answers.flush()


if __name__ == "__main__":
    serve()

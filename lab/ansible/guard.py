"""End a command, and all that it started, when whoever drives it is gone: also by kill -9, also with workers detached.

A second run must not meet the first on the same hosts. Ansible's workers are sessions of their own, so neither the
terminal's hang-up nor a signal to the process group reaches them: what they have in common is an ancestor.

    driver -> foreground (dies with the driver; its death is what is noticed) -> keeper (adopts orphans) -> command
"""

from __future__ import annotations

import ctypes
import os
import select
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
_INTERRUPTED = 130


def main(arguments: Sequence[str]) -> int:
    """Run ``arguments[1:]`` until it ends, or until process ``arguments[0]``, which started us, is gone.

    Returns:
        The command's exit code; 128 + n if signal n ended it.
    """
    driver, command = int(arguments[0]), list(arguments[1:])
    _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != driver:
        return _INTERRUPTED  # it ended before we asked to be told
    foreground = os.pidfd_open(os.getpid())
    keeper = os.fork()
    if keeper == 0:
        code = 1
        try:
            code = _keep(foreground, command)
        finally:
            os._exit(code)
    return _code(os.waitpid(keeper, 0)[1])


def _keep(foreground: int, command: list[str]) -> int:
    """Run the command; when ``foreground`` (a pidfd) ends first, kill the command and all its descendants."""
    _prctl(PR_SET_CHILD_SUBREAPER, 1)
    os.setsid()
    child = os.fork()
    if child == 0:
        try:
            os.execvp(command[0], command)  # noqa: S606 # the command is the driver's own, not a user's
        except OSError as error:
            os.write(2, f"{command[0]}: {error.strerror}\n".encode())
            os._exit(127)
    ended = os.pidfd_open(child)
    ready, _, _ = select.select([foreground, ended], [], [])
    if ended in ready:
        return _code(os.waitpid(child, 0)[1])
    _kill_descendants()
    return _INTERRUPTED


def _kill_descendants() -> None:
    """Kill our children until none is left; the children of each become ours as it dies."""
    while True:
        for child in Path(f"/proc/self/task/{os.getpid()}/children").read_text("ascii").split():
            os.kill(int(child), signal.SIGKILL)
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


def _code(status: int) -> int:
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


def _prctl(option: int, value: int) -> None:
    if ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

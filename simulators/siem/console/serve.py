"""The service ``pacslab-console``: pages for the web server in front of it, which calls on a socket of systemd's.

Whoever can open that socket is believed about who asks; its mode lets nobody but the web server.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import uvicorn

from simulators.access import policy
from simulators.errors import SimulatorError
from simulators.events.actions import START
from simulators.events.outlets import send_to_journal
from simulators.events.report import write_event
from simulators.service import notify
from simulators.siem.console import site
from simulators.siem.console.application import Console
from simulators.siem.console.store import TARGET, TARGET_VARIABLE, Store

FIRST_SOCKET = 3
"""The first file that systemd hands over (sd_listen_fds(3))."""
AT_ONCE = 16
"""Requests that are answered at a time; the database lets the console in 20 times."""


class _Server(uvicorn.Server):
    """Tells systemd when it is ready."""

    async def startup(self, sockets: list[object] | None = None) -> None:  # type: ignore[override]
        """Start, and tell."""
        await super().startup(sockets)  # type: ignore[arg-type]
        write_event(START)
        notify("READY=1")


def main(argv: list[str]) -> int:
    """Serve until SIGTERM, of which uvicorn lets the process die when all is answered; return an exit code before that.

    Args:
        argv: the files with the site and with the policy, where they are not at their places.
    """
    send_to_journal()
    try:
        known = site.load(Path(argv[0])) if argv else site.load()
        console = Console(Store(os.environ.get(TARGET_VARIABLE, TARGET)), policy.load(_policy(argv)), known)
    except SimulatorError as error:
        sys.stderr.write(f"error: {error.message} {error.remedy}\n")
        return error.exit_code
    config = uvicorn.Config(
        console.application(), fd=FIRST_SOCKET, lifespan="off", access_log=False, log_config=None, server_header=False,
        date_header=False, proxy_headers=False, limit_concurrency=AT_ONCE * 4, timeout_graceful_shutdown=5, ws="none",
    )  # fmt: skip
    asyncio.run(_serve(_Server(config)))
    return 0


async def _serve(server: uvicorn.Server) -> None:
    from anyio.to_thread import current_default_thread_limiter  # noqa: PLC0415 # in a running loop alone

    current_default_thread_limiter().total_tokens = AT_ONCE
    await server.serve()


def _policy(argv: list[str]) -> Path:
    return Path(argv[1]) if len(argv) > 1 else policy.PATH


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""The service: starts for the web server on the same host, and opens what it calls again when told to (SIGHUP)."""

from __future__ import annotations

import asyncio
import os
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from aiohttp import web

from simulators.access import policy
from simulators.access.calling import READ_SECONDS
from simulators.access.relations import Relations
from simulators.access.sources import open_sources
from simulators.events.actions import START
from simulators.events.outlets import send_to_journal
from simulators.events.report import write_event
from simulators.gateway.access import Access
from simulators.gateway.application import Gateway
from simulators.gateway.archives import open_archives
from simulators.gateway.break_glass import Grants
from simulators.gateway.browsers import Browsers
from simulators.gateway.ends import tell_ends
from simulators.gateway.studies import Studies
from simulators.service import notify
from simulators.settings import load

if TYPE_CHECKING:
    import argparse

    import aiohttp

    from simulators.settings import Settings

SERVICE = "access-gateway"
STATE = Path("/var/lib/pacslab-gateway")


def grants_file() -> Path:
    """Where grants are kept: in the service's state folder."""
    return _state() / "emergencies.json"


def _state() -> Path:
    return Path(os.environ.get("STATE_DIRECTORY", STATE))


@dataclass(frozen=True)
class Opened:
    """What the gateway decides and finds with, and the sessions that it has for that."""

    access: Access
    studies: Studies
    sessions: tuple[aiohttp.ClientSession, ...]

    @classmethod
    def of(cls, settings: Settings, grants: Grants) -> Opened:
        """Read the policy, and open every archive and every source with the revocation lists of now.

        Raises:
            NotReadyError: the policy, a certificate or a list cannot be used.
        """
        archives, sources = open_archives(settings), open_sources(settings)
        return cls(
            Access(policy.load(), Relations(sources), grants),
            Studies(archives, settings.site.name.upper()),
            (*(archive.service.session for archive in archives), *(source.service.session for source in sources)),
        )

    async def close(self, after: float = 0) -> None:
        """End the sessions; requests that are under way have some seconds to end before."""
        await asyncio.sleep(after)
        for session in self.sessions:
            await session.close()


def serve(_: argparse.Namespace, settings: Settings) -> None:
    """Serve until SIGTERM."""
    send_to_journal()
    asyncio.run(_serve(settings))


async def _serve(settings: Settings) -> None:
    grants = Grants(grants_file())
    opened = Opened.of(settings, grants)
    browsers = Browsers(_state() / "sessions.jsonl")
    gateway = Gateway(opened.access, opened.studies, browsers, origin=f"https://{settings.host.fqdn}")
    runner = web.AppRunner(gateway.application(), access_log=None, handle_signals=False)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", settings.port(SERVICE)).start()
    told: asyncio.Queue[signal.Signals] = asyncio.Queue()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, told.put_nowait, number)
    write_event(START, archives=list(opened.studies.archives))
    notify("READY=1")
    telling = asyncio.create_task(tell_ends(grants))
    closing = set()
    while await told.get() is signal.SIGHUP:
        former, opened = opened, Opened.of(load(), grants)
        gateway.use(opened.access, opened.studies)
        closing.add(asyncio.create_task(former.close(after=READ_SECONDS)))
    notify("STOPPING=1")
    telling.cancel()
    await runner.cleanup()
    await opened.close()

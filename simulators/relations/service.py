"""The service that tells relations, on loopback behind an edge that knows who calls."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING

from aiohttp import web

from simulators.errors import NotReadyError, SimulatorError
from simulators.events.actions import WORK
from simulators.events.report import write_failure
from simulators.relations.resource import ROOT, Relation, told

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    Tell = Callable[[Relation, str], Iterable[str]]

START_SECONDS = 10.0
JSON = {"Content-Type": "application/json", "Cache-Control": "no-store"}


class RelationsService:
    """Answers in a thread of its own."""

    def __init__(self, port: int, tell: Tell) -> None:
        """Listen on this port; `tell` finds the patients, and may wait for a database."""
        self.port, self._tell = port, tell
        self._stopped = asyncio.Event()
        self._started: Future[asyncio.AbstractEventLoop] = Future()
        self._thread = threading.Thread(target=self._run, name="relations", daemon=True)

    def start(self) -> None:
        """Begin to listen.

        Raises:
            NotReadyError: the port cannot be had.
        """
        self._thread.start()
        self._started.result(START_SECONDS)

    def stop(self) -> None:
        """Stop listening."""
        if self._thread.is_alive():
            self._started.result(START_SECONDS).call_soon_threadsafe(self._stopped.set)
            self._thread.join(START_SECONDS)

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except OSError as error:
            remedy = "See which process has it: `ss -tlnp`."
            self._started.set_exception(NotReadyError(f"port {self.port} cannot be had: {error}", remedy=remedy))

    async def _serve(self) -> None:
        application = web.Application(client_max_size=0)
        application.router.add_get(f"{ROOT}/{{relation}}/{{who}}", self._answer)
        runner = web.AppRunner(application, access_log=None, handle_signals=False)
        await runner.setup()
        try:
            site = web.TCPSite(runner, "127.0.0.1", self.port)
            await site.start()
            if self.port == 0:
                self.port = runner.addresses[0][1]
            self._started.set_result(asyncio.get_running_loop())
            await self._stopped.wait()
        finally:
            await runner.cleanup()

    async def _answer(self, request: web.Request) -> web.Response:
        relation, who = request.match_info["relation"], request.match_info["who"]
        if relation not in list(Relation):
            return web.Response(status=404)
        try:
            patients = await asyncio.to_thread(lambda: list(self._tell(Relation(relation), who)))
        except SimulatorError as error:
            write_failure(WORK, error, worker="relations")
            return web.Response(status=503)
        return web.Response(body=told(patients), headers=JSON)

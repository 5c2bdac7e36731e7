"""Answers that are good for some seconds: whoever asks meanwhile, or while the first still asks, gets the same."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Hashable

Answer = TypeVar("Answer")


class Remembered(Generic[Answer]):
    """Keeps answers by key; a failure is not kept."""

    def __init__(self, seconds: float, most: int = 4096, clock: Callable[[], float] = time.monotonic) -> None:
        """Keep each answer for so long, and no more than so many."""
        self._seconds, self._most, self._clock = seconds, most, clock
        self._kept: dict[Hashable, tuple[float, asyncio.Future[Answer]]] = {}

    async def get(self, key: Hashable, ask: Callable[[], Awaitable[Answer]]) -> Answer:
        """Return the answer that is known, or ask for it."""
        now = self._clock()
        known = self._kept.get(key)
        if known is not None and known[0] > now:
            return await asyncio.shield(known[1])
        future = asyncio.ensure_future(ask())
        self._forget(now)
        self._kept[key] = (now + self._seconds, future)
        try:
            return await asyncio.shield(future)
        except BaseException:
            if self._kept.get(key, (0, None))[1] is future:
                del self._kept[key]
            raise

    def clear(self) -> None:
        """Forget everything."""
        self._kept.clear()

    def _forget(self, now: float) -> None:
        if len(self._kept) < self._most:
            return
        self._kept = {key: entry for key, entry in self._kept.items() if entry[0] > now}
        while len(self._kept) >= self._most:
            del self._kept[next(iter(self._kept))]

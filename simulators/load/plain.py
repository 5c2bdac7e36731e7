"""Takes the security out of every simulator of a host, so that it can be measured what it costs.

``pacslab bench workflow`` puts this module on the hosts of a clone, with a path file that imports it whenever their
interpreter starts; the clone is removed with it. Connections are opened without TLS, listeners are open to the
network, and who sends HL7 is known by address alone, as it is where nobody asks for more.
"""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from simulators import association, mllp, tls
from simulators.database import URL_VARIABLE
from simulators.errors import SimulatorError
from simulators.settings import load

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from simulators.proxy_protocol import Sender
    from simulators.settings import Settings

EVERYWHERE = "0.0.0.0"  # noqa: S104 # this is what it is for


class PlainListener(mllp.Listener):
    """A listener without an edge in front of it."""

    def __init__(self, port: int, answer: Callable[[bytes, Sender], Sequence[bytes]], **options: Any) -> None:
        """Bind the port on every address."""
        names = {caller.address: caller.fqdn for caller in load().callers}

        def named(message: bytes, sender: Sender) -> Sequence[bytes]:
            return answer(message, replace(sender, name=names.get(sender.address)))

        super().__init__(port, named, **{"address": EVERYWHERE, "behind_proxy": False, **options})


def no_context(_settings: Settings, _certificate: str) -> None:
    """Take the place of :func:`simulators.tls.client_context`: no TLS."""


def connection_string(settings: Settings) -> str:
    """How to reach the database, as its server trusts everybody's address."""
    peer, name = settings.peer("postgresql"), settings.host.name.replace("-", "_")
    return f"host={peer.address} port={peer.port} user={name} dbname={name} sslmode=disable connect_timeout=5"


REPLACED: tuple[tuple[Any, str, object], ...] = (
    (tls, "client_context", no_context),
    (mllp, "Listener", PlainListener),
    (association, "start_scp", partial(association.start_scp, address=EVERYWHERE)),
)
"""Module, name, and what stands there instead, for all who import it from now on."""


def apply() -> None:
    """Take the security out of this process."""
    for module, name, instead in REPLACED:
        setattr(module, name, instead)
    with suppress(SimulatorError):  # a host without settings, or without a database
        os.environ[URL_VARIABLE] = connection_string(load())

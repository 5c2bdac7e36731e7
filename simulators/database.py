"""A simulator's own PostgreSQL database: opened with its client certificate, tables made and kept up to date."""

from __future__ import annotations

import atexit
import logging
import os
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, LiteralString, Self

import psycopg
from psycopg.rows import DictRow, dict_row
from psycopg_pool import ConnectionPool, PoolTimeout

from simulators.deadline import Deadline
from simulators.errors import NotReadyError
from simulators.events.actions import OPEN_DATABASE
from simulators.events.report import write_failure
from simulators.revocation import lists_alone

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from simulators.settings import Settings

Cursor = psycopg.Cursor[DictRow]

URL_VARIABLE = "PACSLAB_SIMULATOR_DATABASE"
"""Environment variable with another connection string, for a database without the site's certificates."""

MOST_CONNECTIONS = 20
"""Of a service; the server gives each client 30, and commands on the host need some too."""
CONNECTION_SECONDS = 10.0
"""How long a transaction waits for a connection: longer than opening one may take (5 s)."""
LOOK_SECONDS = 0.1
"""How often one that waits looks whether a connection could not be opened, of which the pool does not tell it."""
logging.getLogger("psycopg.pool").setLevel(logging.ERROR)  # what it would warn of is raised here, with the reason
_MIGRATION_LOCK = 1800_24

_pools: list[ConnectionPool[psycopg.Connection[DictRow]]] = []
"""Every pool of this process, kept until :func:`close_all`: closing waits for the pool's threads, so that garbage
collection, which can be in any thread and holds its locks, must not do it."""


@atexit.register
def close_all() -> None:
    """Give back every connection of this process."""
    while _pools:
        _pools.pop().close()


def connection_string(settings: Settings) -> str:
    """Return how to reach the database: user and database are the host's name, ``-`` as ``_``.

    TLS verifies the server's name and its chain (libpq ``sslmode=verify-full``); :class:`Database` adds the revocation
    lists whenever it connects.
    """
    if URL_VARIABLE in os.environ:
        return os.environ[URL_VARIABLE]
    peer = settings.peer("postgresql")
    name = settings.host.name.replace("-", "_")
    if "database" not in settings.tls.certificates:
        raise NotReadyError(f"{settings.host.name} has no certificate database", remedy="Configure the host again.")
    own = settings.tls.certificates["database"]
    return psycopg.conninfo.make_conninfo(
        host=peer.identity,
        hostaddr=peer.address,
        port=peer.port,
        user=name,
        dbname=name,
        sslmode="verify-full",
        sslrootcert=str(settings.tls.ca),
        sslcert=str(own.certificate),
        sslkey=str(own.key),
        ssl_min_protocol_version="TLSv1.2",
        connect_timeout=5,
        application_name=f"pacslab-{name}",
    )


class _Failures:
    """Why the last connection could not be opened: the pool's threads open them, and it keeps no reason itself."""

    def __init__(self) -> None:
        self.count = 0
        self.last = ""

    def connections(self, lists: Path | None) -> type[psycopg.Connection[DictRow]]:
        """A class of connections that notes here what kept it from being opened, and refuses servers by these lists."""
        failures = self

        class NotingConnection(psycopg.Connection[DictRow]):
            @classmethod
            def connect(cls, *arguments: Any, **options: Any) -> Self:
                try:
                    if lists is None:
                        return super().connect(*arguments, **options)
                    with lists_alone(lists) as revoked:
                        return super().connect(*arguments, **{**options, "sslcrl": revoked})
                except (psycopg.OperationalError, OSError) as error:
                    failures.last = str(error).strip()
                    failures.count += 1
                    raise

        return NotingConnection


class Database:
    """Hands out transactions on pooled connections; safe to use from several threads."""

    def __init__(self, settings: Settings) -> None:
        """Remember where the database is; the first transaction connects."""
        self.target = connection_string(settings)
        self._failures = _Failures()
        lists = None if URL_VARIABLE in os.environ else settings.tls.crl
        self._pool: ConnectionPool[psycopg.Connection[DictRow]] = ConnectionPool(
            self.target,
            connection_class=self._failures.connections(lists),
            kwargs={"autocommit": True, "row_factory": dict_row},
            min_size=0,
            max_size=MOST_CONNECTIONS,
            check=ConnectionPool.check_connection,  # the server may have restarted since
            reconnect_timeout=0,  # whoever wants a connection asks again; the pool's own pauses grow to minutes
            num_workers=1,
            open=False,
        )
        _pools.append(self._pool)

    @contextmanager
    def transaction(self) -> Iterator[Cursor]:
        """Give a cursor whose work is committed at the end of the block, or undone when it raises.

        Raises:
            NotReadyError: the database cannot be reached.
        """
        connection = self._take()
        try:
            with connection.transaction(), connection.cursor() as cursor:
                yield cursor
        finally:
            self._pool.putconn(connection)

    def _take(self) -> psycopg.Connection[DictRow]:
        """Wait for a connection until there is one, or none could be opened."""
        self._pool.open()
        failed_before = self._failures.count
        deadline = Deadline(CONNECTION_SECONDS)
        while True:
            try:
                return self._pool.getconn(timeout=LOOK_SECONDS)
            except PoolTimeout as error:
                failed = self._failures.count > failed_before
                if not failed and not deadline.over:
                    continue
                reason = self._failures.last if failed else f"no connection came free in {CONNECTION_SECONDS:g} s"
                raise NotReadyError(
                    f"the database cannot be reached: {reason}",
                    remedy="Look at the health of the database's host and at the certificate `database`.",
                ) from error

    def migrate(self, steps: Sequence[LiteralString]) -> None:
        """Apply those of `steps` that this database has not seen; two processes at once do it once."""
        with self.transaction() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", (_MIGRATION_LOCK,))
            cursor.execute("CREATE TABLE IF NOT EXISTS schema_version (step integer PRIMARY KEY, applied timestamptz)")
            cursor.execute("SELECT coalesce(max(step), 0) AS step FROM schema_version")
            done = one(cursor)["step"]
            for number, step in enumerate(steps[done:], start=done + 1):
                cursor.execute(step)
                cursor.execute("INSERT INTO schema_version VALUES (%s, now())", (number,))

    def wait_until_ready(self, steps: Sequence[LiteralString], *, stopped: Callable[[], bool] = lambda: False) -> None:
        """Try :meth:`migrate` every second until the database is there: a service outlives its database's absence."""
        waiting = False
        while not stopped():
            try:
                self.migrate(steps)
            except NotReadyError as error:
                if not waiting:
                    write_failure(OPEN_DATABASE, error, waiting=True)
                waiting = True
                time.sleep(1)
            else:
                return


def one(cursor: Cursor) -> dict[str, Any]:
    """Return the row that a query surely has."""
    row = cursor.fetchone()
    if row is None:
        raise LookupError("a query without its row")
    return row

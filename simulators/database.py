"""A simulator's own PostgreSQL database: opened with its client certificate, tables made and kept up to date."""

from __future__ import annotations

import os
import queue
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, LiteralString

import psycopg
from psycopg.rows import DictRow, dict_row

from simulators.errors import NotReadyError
from simulators.service import line, record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from simulators.settings import Settings

Cursor = psycopg.Cursor[DictRow]

URL_VARIABLE = "PACSLAB_SIMULATOR_DATABASE"
"""Environment variable with another connection string, for a database without the site's certificates."""

IDLE_CONNECTIONS = 8
_MIGRATION_LOCK = 1800_24


def connection_string(settings: Settings) -> str:
    """Return how to reach the database: user and database are the host's name, ``-`` as ``_``.

    TLS verifies the server's name, its chain and its revocation (libpq ``sslmode=verify-full``, ``sslcrl``).
    """
    if URL_VARIABLE in os.environ:
        return os.environ[URL_VARIABLE]
    peer = settings.peer("postgresql")
    name = settings.host.name.replace("-", "_")
    if "database" not in settings.tls.certificates:
        raise NotReadyError(f"{settings.host.name} has no certificate database", remedy="Configure the host again.")
    own = settings.tls.certificates["database"]
    return psycopg.conninfo.make_conninfo(
        host=peer.fqdn,
        hostaddr=peer.address,
        port=peer.port,
        user=name,
        dbname=name,
        sslmode="verify-full",
        sslrootcert=str(settings.tls.ca),
        sslcrl=str(settings.tls.crl),
        sslcert=str(own.certificate),
        sslkey=str(own.key),
        ssl_min_protocol_version="TLSv1.2",
        connect_timeout=5,
        application_name=f"pacslab-{name}",
    )


class Database:
    """Hands out transactions on pooled connections; safe to use from several threads."""

    def __init__(self, settings: Settings) -> None:
        """Remember where the database is; the first transaction connects."""
        self.target = connection_string(settings)
        self._idle: queue.LifoQueue[psycopg.Connection[DictRow]] = queue.LifoQueue(IDLE_CONNECTIONS)

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
            self._give_back(connection)

    def _take(self) -> psycopg.Connection[DictRow]:
        with suppress(queue.Empty):
            while True:
                connection = self._idle.get_nowait()
                try:
                    connection.execute("SELECT 1")
                except psycopg.OperationalError:
                    connection.close()  # the server has restarted since
                else:
                    return connection
        try:
            return psycopg.connect(self.target, autocommit=True, row_factory=dict_row)
        except psycopg.OperationalError as error:
            raise NotReadyError(
                f"the database cannot be reached: {str(error).strip()}",
                remedy="Look at the health of the database's host and at the certificate `database`.",
            ) from error

    def _give_back(self, connection: psycopg.Connection[DictRow]) -> None:
        if connection.closed:
            return
        try:
            self._idle.put_nowait(connection)
        except queue.Full:
            connection.close()

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
                    record("waiting", what="database", detail=error.message)
                waiting = True
                time.sleep(1)
            else:
                return


def one(cursor: Cursor) -> dict[str, Any]:
    """Return the row that a query surely has."""
    row = cursor.fetchone()
    if row is None:
        raise LookupError(line("failed", what="a query without its row"))
    return row

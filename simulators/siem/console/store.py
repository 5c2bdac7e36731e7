"""The console's way to the database: a transaction for each request, which ends itself when it takes too long."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psycopg

from simulators.errors import BusyError, UnreachableError

if TYPE_CHECKING:
    from collections.abc import Iterator

TARGET = "host=/run/postgresql dbname=siem user=siem-console"
TARGET_VARIABLE = "PACSLAB_SIEM_DATABASE"
MOST_MILLISECONDS = 5_000
"""A query that takes longer is given up: it would hold up others."""


@dataclass(frozen=True)
class Store:
    """The repository's database."""

    target: str = TARGET

    @contextmanager
    def reading(self) -> Iterator[psycopg.Connection]:
        """Open it to read.

        Raises:
            UnreachableError: it does not answer.
            BusyError: what is asked for takes too long.
        """
        with self._open(read_only=True) as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[psycopg.Connection]:
        """Open it to add a note; it is kept where the block ends well."""
        with self._open(read_only=False) as connection:
            yield connection

    @contextmanager
    def _open(self, *, read_only: bool) -> Iterator[psycopg.Connection]:
        try:
            with psycopg.connect(self.target, connect_timeout=3, prepare_threshold=None) as connection:
                connection.read_only = read_only
                connection.execute(f"SET LOCAL statement_timeout = {MOST_MILLISECONDS}")
                connection.execute("SET LOCAL timezone = 'UTC'")
                yield connection
        except psycopg.errors.QueryCanceled as error:
            raise BusyError("It takes too long to find that.", remedy="Ask for less time, or for one thing.") from error
        except psycopg.Error as error:
            raise UnreachableError(
                f"The repository's database does not answer: {type(error).__name__}.",
                remedy="Try again in a minute; what is sent meanwhile is kept by its senders.",
            ) from error

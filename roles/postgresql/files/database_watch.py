#!/usr/bin/python3 -I
"""End the sessions of clients whose certificate was revoked: PostgreSQL judges it only when a session is opened.

Started by each reload of the server (postgresql@17-main.service.d/pacslab.conf); it looks again and again for as long
as a session that had begun to open before may take. What the site's flows say, the server reads when it restarts,
which ends every session.
"""

from __future__ import annotations

import csv
import io
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from pacslab_event import write_event
from pacslab_lists import RefusedError, read_lists

LISTS, AUTHORITIES = Path("/etc/pacslab/tls/crl.pem"), Path("/etc/pacslab/tls/ca.crt")
WATCHED = 20.0
"""Seconds: longer than opening a session may take (authentication_timeout in pacslab.conf)."""
PAUSE = 2.0  # seconds
PSQL = ("psql", "--no-psqlrc", "--quiet", "--tuples-only", "--csv", "--set=ON_ERROR_STOP=1", "postgres")
END = """
WITH revoked AS MATERIALIZED (
  SELECT pid, host(client_addr) AS address, client_port AS port, usename
    FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
   WHERE client_serial IN ({serials})
)
SELECT address, port, usename FROM revoked WHERE pg_terminate_backend(pid)
"""
"""Materialized, since the planner would otherwise call the function for every session before it looks at serials."""


def revoked() -> list[int]:
    """Return the serial numbers of the lists at hand.

    Raises:
        OSError: a file cannot be read.
        RefusedError: the lists must not be used.
    """
    lists = read_lists(LISTS.read_bytes(), AUTHORITIES.read_bytes())
    return sorted({serial for entry in lists for serial in entry.revoked})


def end_sessions(serials: list[int]) -> list[list[str]]:
    """End the sessions that these certificates opened; return address, port and role of each.

    Raises:
        OSError: the server does not answer.
    """
    if not serials:
        return []
    statement = END.format(serials=", ".join(map(str, serials)))
    done = subprocess.run(PSQL, input=statement, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise OSError(done.stderr.strip())
    return list(csv.reader(io.StringIO(done.stdout)))


def main() -> int:
    """Look until no session may arrive that the former lists let in."""
    ends = time.monotonic() + WATCHED
    while True:
        try:
            ended = end_sessions(revoked())
        except (OSError, RefusedError) as error:
            write_event("end-connection", "failed", "not-ready", error=type(error).__name__, detail=str(error))
            return 1
        for address, port, role in ended:
            write_event(
                "end-connection",
                "refused",
                "certificate-refused",
                peer=address,
                source_port=int(port),
                service="postgresql",
                detail=f"a session of role {role}",
            )
        if time.monotonic() >= ends:
            return 0
        time.sleep(PAUSE)


if __name__ == "__main__":
    sys.exit(main())

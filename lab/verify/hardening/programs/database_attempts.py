"""Tries to open PostgreSQL databases with this host's certificates, in every way asked for; prints JSON.

Argument: JSON ``{name: connection settings}``. Output: for each name ``open``, or what the server or the library said.
It runs in the simulators' environment, which has psycopg.
"""

from __future__ import annotations

import json
import sys

import psycopg

DEFAULTS = {
    "sslmode": "verify-full",
    "sslrootcert": "/etc/pacslab/tls/ca.crt",
    "sslcert": "/etc/pacslab/tls/database.crt",
    "sslkey": "/etc/pacslab/tls/database.key",
    "connect_timeout": "5",
}


def attempt(settings: dict[str, str]) -> str:
    """``open``, or what was said instead."""
    wanted = {key: value for key, value in {**DEFAULTS, **settings}.items() if value}
    try:
        psycopg.connect(" ".join(f"{key}={value}" for key, value in wanted.items())).close()
    except psycopg.Error as error:
        return str(error)
    return "open"


if __name__ == "__main__":
    json.dump({name: attempt(settings) for name, settings in json.loads(sys.argv[1]).items()}, sys.stdout)

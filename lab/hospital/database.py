"""What a clinical system keeps, asked of its database as the database's administrator: the last word on what it did."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lab.errors import EngineError, UsageError

if TYPE_CHECKING:
    from lab.engine.lab import Lab

SERVICE = "postgresql"
_ROWS = "SELECT coalesce(json_agg(found), '[]') FROM ({query}) AS found"


def rows(lab: Lab, host: str, query: str, **values: str) -> list[dict[str, Any]]:
    """The rows of a query in a host's own database; ``:'name'`` in it stands for a value.

    Example:
        >>> rows(lab, "ris1", "SELECT family FROM patients WHERE patient_id = :'patient'", patient="P0000001")
        [{"family": "Weber"}]

    Raises:
        UsageError: no flow says where the host keeps its data.
        EngineError: the database refused.
    """
    server = next((flow.target for flow in lab.site.flows_out(host) if flow.service == SERVICE), None)
    if server is None:
        raise UsageError(f"{host} has no database.", remedy=f"Name a host with a flow to service {SERVICE}.")
    argv = ["runuser", "-u", "postgres", "--", "psql", "--no-psqlrc", "-qAt", "-v", "ON_ERROR_STOP=1"]
    for name, value in values.items():
        argv += ["-v", f"{name}={value}"]
    argv += ["-d", host.replace("-", "_")]
    done = lab.run(server, argv, input=_ROWS.format(query=query).encode())
    if done.code != 0:
        raise EngineError(f"The database of {host} on {server} refused: {done.stderr.strip()}", remedy="See the query.")
    return done.read(list[dict[str, Any]], f"the database of {host} on {server}")

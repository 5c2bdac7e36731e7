"""What hosts do is told to the repository by each of them in order and once, whatever is away, restarted or full."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from lab.drills.faults import BALLAST, FILL, LARGE, SMALL
from lab.hospital.repository import Repository
from tests.lab_commands import until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.engine.lab import Lab

ROLE, UNIT, SPOOL = "audit_source", "pacslab-audit.service", "/var/spool/pacslab-audit"
LATE, COPY = "/run/pacslab-audit/late", "/run/spool-copy"
TOLD = "pacslab-crl"
"""Under this name hosts tell that they have new revocation lists, which is an audit message; here, how many."""
LINE = '{"action": "fetch-lists", "outcome": "success", "lists": %d}'
QUIET = 40.0
"""Seconds without another message after which what is missing does not come: senders wait up to 18 before they try."""
STORED = (
    "SELECT host, fields->>'pacslab.lists', number, run FROM siem.events WHERE action = 'fetch-lists'"
    " AND (fields->>'pacslab.lists')::bigint BETWEEN {first} AND {last} ORDER BY position"
)
PARTS = ("pacslab-siem-intake.socket", "pacslab-siem-intake.service", "pacslab-siem.socket", "pacslab-siem.service")
"""What the repository consists of, in the order in which it is stopped."""


def senders(lab: Lab) -> list[str]:
    """Hosts that make audit messages."""
    return [name for name, host in lab.site.managed.items() if ROLE in host.roles and lab.site.flows_out(name)]


def sql(lab: Lab, statement: str) -> list[list[str]]:
    argv = ["runuser", "-u", "postgres", "--", "psql", "--no-psqlrc", "-qAt", "-F", " ", "-d", "siem", "-c", statement]
    done = lab.run(Repository(lab).host, argv, timeout=60)
    return [line.split() for line in done.stdout.splitlines()] if done.code == 0 else []


def systemctl(lab: Lab, host: str, *words: str) -> None:
    done = lab.run(host, ["systemctl", *words], timeout=180)
    assert done.code == 0, f"{host}: {done.stderr}"


def tell(lab: Lab, host: str, first: int, count: int, seconds: float) -> None:
    """Have a host tell so many numbered events within some seconds."""
    numbers, pause = range(first, first + count), seconds / count
    program = f"import time\nfor n in {numbers}: print({LINE!r} % n, flush=True); time.sleep({pause})"
    script = f'python3 -c "$0" | logger --tag {TOLD}'
    done = lab.run(host, ["sh", "-c", script, program], timeout=10 * seconds + 60)
    assert done.code == 0, done.stderr


@contextmanager
def everybody_tells(lab: Lab, first: int, count: int, seconds: float, hosts: list[str]) -> Iterator[None]:
    """Meanwhile hosts tell numbered events; afterwards the repository has each host's in their order, and once."""
    with ThreadPoolExecutor(len(hosts)) as pool:
        telling = [pool.submit(tell, lab, host, first, count, seconds) for host in hosts]
        time.sleep(seconds / 4)  # it is within what happens, so that there is a before and an after
        yield
        for done in telling:
            done.result()
    wanted = len(hosts) * count
    news, known = time.monotonic(), -1
    while known < wanted and time.monotonic() < news + QUIET:
        rows = sql(lab, STORED.format(first=first, last=first + count - 1))
        news, known = (time.monotonic(), len(rows)) if len(rows) != known else (news, known)
        time.sleep(0.5)
    numbers = list(range(first, first + count))
    for host in hosts:
        of_host = [row for row in rows if row[0] == host]
        assert [int(row[1]) for row in of_host] == numbers, host
        assert len({row[3] for row in of_host}) == 1, f"{host}: more than one run"
        assert [int(row[2]) for row in of_host] == sorted({int(row[2]) for row in of_host}), host
    assert len(rows) == wanted


def waiting(lab: Lab, host: str) -> int:
    """How many messages of a host's spool are not acknowledged, as far as they stand in its files."""
    program = (
        "import sys; sys.path.insert(0, '/usr/local/lib/pacslab/audit'); from pathlib import Path;"
        f" from simulators.audit.spool import Spool; print(Spool(Path('{COPY}/spool')).waiting)"
    )
    script = f'rm -rf {COPY}; cp -a {SPOOL} {COPY}; python3 -IS -c "$0"; rm -rf {COPY}'
    done = lab.run(host, ["sh", "-c", script, program])
    return int(done.stdout or -1)


def test_every_managed_host_makes_audit_messages(clone: Lab) -> None:
    managed = {flow.source for flow in clone.site.flows_to("log-collection") if flow.source in clone.site.managed}
    assert set(senders(clone)) == managed | {Repository(clone).host}, "the repository's host sends to itself"
    with everybody_tells(clone, 1_000_000, 20, 2.0, senders(clone)):
        pass


def test_while_the_repository_is_away_hosts_keep_what_happens_also_through_a_restart_of_theirs(clone: Lab) -> None:
    centre, hosts = Repository(clone).host, senders(clone)
    with everybody_tells(clone, 2_000_000, 60, 12.0, hosts):
        systemctl(clone, centre, "stop", *PARTS)
        try:
            time.sleep(2)
            systemctl(clone, hosts[-1], "restart", UNIT)
            systemctl(clone, hosts[-2], "kill", "--signal=SIGKILL", UNIT)
            assert until(lambda: all(waiting(clone, host) > 0 for host in hosts[:4]))
            time.sleep(4)
        finally:
            systemctl(clone, centre, "start", *PARTS)
    assert until(lambda: all(clone.health()[host].healthy for host in (*hosts, centre)))


@pytest.mark.parametrize(
    "unit",
    [
        "haproxy.service",
        pytest.param("pacslab-siem-intake.service", marks=pytest.mark.night),
        "pacslab-siem.service",
        pytest.param("postgresql@17-main.service", marks=pytest.mark.night),
    ],
)
def test_a_restart_of_what_takes_them_loses_and_doubles_none(clone: Lab, unit: str) -> None:
    first = 3_000_000 + 10_000 * len(unit)
    with everybody_tells(clone, first, 80, 8.0, senders(clone)):
        for _ in range(2):
            systemctl(clone, Repository(clone).host, "restart", unit)
            time.sleep(2)


def test_a_sender_without_room_says_so_and_tells_it_all_when_it_has(clone: Lab) -> None:
    host = senders(clone)[-1]
    assert clone.run(host, ["sh", "-c", SMALL, "sh", SPOOL, "2", UNIT], timeout=60).code == 0
    try:
        with everybody_tells(clone, 5_000_000, 200, 8.0, [host]):
            assert clone.run(host, ["sh", "-c", FILL, "sh", f"{SPOOL}/{BALLAST}"]).code == 0
            assert until(lambda: "No space left" in clone.run(host, ["cat", LATE]).stdout)
            assert until(lambda: not clone.health()[host].healthy)
            clone.run(host, ["rm", f"{SPOOL}/{BALLAST}"])
    finally:
        assert clone.run(host, ["sh", "-c", LARGE, "sh", SPOOL, UNIT], timeout=60).code == 0
    assert until(lambda: clone.health()[host].healthy)

"""What a host logs reaches the collector, whatever is restarted, away or rotated on the way.

Syslog over TLS has no acknowledgement (RFC 5425), so one line is lost where a connection is cut while it is sent.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING

from lab.verify.collected import Collected
from lab.verify.matrix import sends_log

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.engine.lab import Lab

INTERVAL = 0.01
"""Seconds from one of a host's lines to the next."""
QUIET = 25.0
"""Seconds without a line after which what is missing is lost: senders wait up to 15 before they try again."""


@contextmanager
def every_sender_logs(lab: Lab, tag: str, seconds: float, *, cuts: int = 0) -> Iterator[None]:
    """Number lines on every host that has the collector take its log; each arrives, but for one a cut connection."""
    collected = Collected(lab)
    senders = [host for host in lab.site.hosts if sends_log(lab.site, host) and host != collected.centre]
    numbers = range(int(seconds / INTERVAL))
    counting = f"for n in {numbers}: print(f'number={{n}}', flush=True); time.sleep({INTERVAL})"
    program = f'python3 -c "import time\n{counting}" | logger --tag {tag}'
    marks = {host: collected.mark(host) for host in senders}
    with ThreadPoolExecutor(len(senders)) as pool:
        running = [pool.submit(lab.run, host, ["sh", "-c", program], timeout=10 * seconds) for host in senders]
        time.sleep(1)  # each has begun
        yield
        assert {done.result().code for done in running} == {0}
    missing = {host: set(numbers) for host in senders}
    news = time.monotonic()
    while any(missing.values()) and time.monotonic() < news + QUIET:
        for host in senders:
            lines, marks[host] = collected.following(host, marks[host])
            arrived = {int(one["message"].partition("=")[2]) for one in lines if one["program"] == tag}
            missing[host] -= arrived
            news = time.monotonic() if arrived else news
        time.sleep(0.2)
    assert {host: sorted(lost) for host, lost in missing.items() if len(lost) > cuts} == {}


def restart(lab: Lab, host: str) -> None:
    assert lab.run(host, ["systemctl", "restart", "rsyslog.service"]).code == 0


def test_a_collector_that_is_restarted_loses_no_more_than_was_on_its_way(lab: Lab) -> None:
    centre = Collected(lab).centre
    with every_sender_logs(lab, "restarted-collector", 20, cuts=4):
        for _ in range(4):
            restart(lab, centre)
            time.sleep(3.5)  # senders that were refused wait two seconds or more


def test_a_sender_that_is_restarted_loses_nothing(lab: Lab) -> None:
    with every_sender_logs(lab, "restarted-sender", 10):
        for _ in range(3):
            restart(lab, "ct1")
            restart(lab, "pacs-rad")
            time.sleep(1)


def test_what_is_logged_while_the_collector_is_away_is_kept_by_its_sender_even_through_a_restart(lab: Lab) -> None:
    centre = Collected(lab).centre
    with every_sender_logs(lab, "collector-away", 10, cuts=2):
        assert lab.run(centre, ["systemctl", "stop", "rsyslog.service"]).code == 0
        try:
            time.sleep(4)
            restart(lab, "ct1")
            time.sleep(4)
        finally:
            assert lab.run(centre, ["systemctl", "start", "rsyslog.service"]).code == 0


def test_a_log_that_is_rotated_meanwhile_is_read_to_its_end(lab: Lab) -> None:
    centre = Collected(lab).centre
    with every_sender_logs(lab, "rotated", 5):
        rotate = ["logrotate", "--force", "/etc/logrotate.d/pacslab-logs"]
        done = lab.run(centre, rotate)
        assert done.code == 0, done.stderr

"""What a host logs reaches the collector, whatever is restarted, away or rotated on the way.

Syslog over TLS has no acknowledgement (RFC 5425), so where a connection is cut, a line on its way is lost.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from lab.hospital.collected import Collected
from lab.verify.attempting import attempt_from
from lab.verify.matrix import sends_log
from lab.verify.refused_packets import refused_packets
from tests.lab_commands import until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.engine.lab import Lab

OFTEN, SELDOM = 0.01, 0.25
"""Seconds from one of a host's lines to the next. A sender's kernel holds lines back until the collector's has
acknowledged those before, which it does after up to 40 ms (RFC 896, RFC 1122 4.2.3.2): of those that come seldom hardly
one is on its way at a given moment."""
QUIET = 25.0
"""Seconds without a line after which what is missing is lost: senders wait up to 15 before they try again."""


@contextmanager
def every_sender_logs(
    lab: Lab, tag: str, seconds: float, *, interval: float = OFTEN, lost_at_most: int = 0
) -> Iterator[None]:
    """Number lines on every host that has the collector take its log: all arrive, or all but a few of all hosts'."""
    collected = Collected(lab)
    senders = [host for host in lab.site.hosts if sends_log(lab.site, host) and host != collected.centre]
    numbers = range(int(seconds / interval))
    counting = f"for n in {numbers}: print(f'number={{n}}', flush=True); time.sleep({interval})"
    program = f'python3 -c "import time\n{counting}" | logger --tag {tag}'
    marks = {host: collected.mark(host) for host in senders}
    with ThreadPoolExecutor(len(senders)) as pool:
        running = [pool.submit(lab.run, host, ["sh", "-c", program], timeout=10 * seconds) for host in senders]
        time.sleep(1)  # each has begun
        yield
        assert {done.result().code for done in running} == {0}
    missing = {host: set(numbers) for host in senders}
    news = time.monotonic()
    while sum(map(len, missing.values())) > lost_at_most and time.monotonic() < news + QUIET:
        for host in [host for host in senders if missing[host]]:
            lines, marks[host] = collected.following(host, marks[host])
            arrived = {int(line["message"].partition("=")[2]) for line in lines if line["program"] == tag}
            missing[host] -= arrived
            news = time.monotonic() if arrived else news
        time.sleep(0.2)
    lost = {host: sorted(some) for host, some in missing.items() if some}
    assert sum(map(len, lost.values())) <= lost_at_most, lost


def restart(lab: Lab, host: str) -> None:
    assert lab.run(host, ["systemctl", "restart", "rsyslog.service"]).code == 0


@pytest.mark.night
def test_a_new_revocation_list_costs_no_line(clone: Lab) -> None:
    """What it makes the collector and its senders do, a few times over."""
    centre = Collected(clone).centre
    with every_sender_logs(clone, "new-list", 15):
        for _ in range(3):
            assert clone.run(centre, ["systemctl", "reload", "haproxy.service"]).code == 0
            time.sleep(1)
            for host in ("ct1", "pacs-rad", "ehr1"):
                restart(clone, host)


@contextmanager
def hard_stop_after(lab: Lab, host: str, time_limit: str) -> Iterator[None]:
    """Have HAProxy end the connections that a reload leaves behind after that time instead of five minutes."""
    configuration = "/etc/haproxy/haproxy.cfg"

    def change(before: str, after: str) -> None:
        program = f"s/hard-stop-after {before}/hard-stop-after {after}/"
        assert lab.run(host, ["sed", "--in-place", program, configuration]).code == 0
        assert lab.run(host, ["systemctl", "restart", "haproxy.service"]).code == 0

    change("5m", time_limit)
    try:
        yield
    finally:
        change(time_limit, "5m")


def test_a_connection_that_a_reload_leaves_behind_does_not_take_the_next_line_with_it(clone: Lab) -> None:
    centre = Collected(clone).centre
    # One line for each sender and reload would be 26 in all.
    with (
        hard_stop_after(clone, centre, "3s"),
        every_sender_logs(clone, "left-behind", 15, interval=SELDOM, lost_at_most=8),
    ):
        for _ in range(2):
            assert clone.run(centre, ["systemctl", "reload", "haproxy.service"]).code == 0
            time.sleep(6)


@pytest.mark.night
def test_a_collector_that_is_restarted_loses_no_more_than_was_on_its_way(clone: Lab) -> None:
    centre = Collected(clone).centre
    # One line for each sender and restart would be 52 in all.
    with every_sender_logs(clone, "restarted-collector", 20, interval=SELDOM, lost_at_most=10):
        for _ in range(4):
            restart(clone, centre)
            time.sleep(3.5)  # senders that were refused wait two seconds or more


def test_a_sender_that_is_restarted_loses_nothing(clone: Lab) -> None:
    with every_sender_logs(clone, "restarted-sender", 10):
        for _ in range(3):
            restart(clone, "ct1")
            restart(clone, "pacs-rad")
            time.sleep(1)


def test_what_is_logged_while_the_collector_is_away_is_kept_by_its_sender_even_through_a_restart(clone: Lab) -> None:
    centre = Collected(clone).centre
    with every_sender_logs(clone, "collector-away", 10, interval=SELDOM, lost_at_most=3):
        assert clone.run(centre, ["systemctl", "stop", "rsyslog.service"]).code == 0
        try:
            time.sleep(4)
            restart(clone, "ct1")
            time.sleep(4)
        finally:
            assert clone.run(centre, ["systemctl", "start", "rsyslog.service"]).code == 0


def test_a_log_that_is_rotated_meanwhile_is_read_to_its_end(clone: Lab) -> None:
    centre = Collected(clone).centre
    with every_sender_logs(clone, "rotated", 5):
        rotate = ["logrotate", "--force", "/etc/logrotate.d/pacslab-logs"]
        done = clone.run(centre, rotate)
        assert done.code == 0, done.stderr


def test_a_host_that_falls_silent_is_named(clone: Lab) -> None:
    centre = Collected(clone).centre
    assert clone.run("ct2", ["systemctl", "stop", "rsyslog.service"]).code == 0
    try:
        for path in ("/var/log/pacslab/ct2.jsonl", "/run/systemd/units/invocation:rsyslog.service"):
            assert clone.run(centre, ["touch", "--no-dereference", "--date", "1 hour ago", path]).code == 0
        assert until(lambda: not clone.health()[centre].healthy)
        assert clone.health()[centre].first_failure() == (
            "log-sources",
            "/usr/local/lib/pacslab/collector-state: no line of ct2 for 5 minutes",
        )
    finally:
        assert clone.run("ct2", ["systemctl", "start", "rsyslog.service"]).code == 0
    assert until(lambda: clone.health()[centre].healthy)


NO_TEXT = r"printf '\377\376 no text\n\033[2J an escape\n{\"called\": \"A\377\376B\"}\n' | logger --tag garbage"
NOT_JSON = """
import json, pathlib
for path in pathlib.Path("/var/log/pacslab").glob("*.jsonl"):
    for line in path.read_bytes().split(b"\\n")[:-1]:
        try:
            json.loads(line.decode("utf-8"))
        except ValueError as error:
            print(path.name, error, line[:200])
"""


def test_whatever_a_host_logs_every_collected_line_is_json(clone: Lab) -> None:
    collected = Collected(clone)
    mark = collected.mark("ct1")
    assert clone.run("ct1", ["sh", "-c", f"{NO_TEXT}; logger --tag garbage end"]).code == 0
    assert collected.wait("ct1", mark, lambda line: line["message"] == "end", timeout=QUIET) is not None
    garbage = [line["message"] for line in collected.since("ct1", mark) if line["program"] == "garbage"]
    assert len(garbage) == 4
    done = clone.run(collected.centre, ["python3", "-I", "-"], input=NOT_JSON.encode(), timeout=60)
    assert (done.code, done.stdout) == (0, "")


def test_a_log_that_is_full_is_put_aside_and_loses_no_line(clone: Lab) -> None:
    collected = Collected(clone)
    limits = "/etc/pacslab/log-bytes", "/etc/pacslab/rsyslog/10-collect.conf"
    small = f"cp {limits[0]} {limits[1]} /root && echo 20000 400000000 >{limits[0]}"
    small += rf" && sed -i 's/sizeLimit=\"[0-9]*\"/sizeLimit=\"20000\"/' {limits[1]} && systemctl restart rsyslog"
    assert clone.run(collected.centre, ["sh", "-c", small]).code == 0
    try:
        assert until(lambda: clone.run(collected.centre, ["systemctl", "is-active", "rsyslog"]).code == 0)
        with every_sender_logs(clone, "full", seconds=4):
            pass
        files = clone.run(collected.centre, ["sh", "-c", "ls /var/log/pacslab/ct1.jsonl-* | wc -l"]).stdout
        assert int(files) > 1
    finally:
        back = f"cp /root/log-bytes {limits[0]} && cp /root/10-collect.conf {limits[1]} && systemctl restart rsyslog"
        assert clone.run(collected.centre, ["sh", "-c", back]).code == 0


def test_a_busy_firewall_forgets_no_refusal(clone: Lab) -> None:
    """The program that writes them down does not run for a moment, as where others need the processors."""
    collected, gateway, refused = Collected(clone), clone.site.gateway, range(20_000, 21_500)
    mark = collected.mark(gateway)
    targets = [("tcp", str(clone.site.hosts["pacs-rad"].address), port) for port in refused]
    assert clone.run(gateway, ["systemctl", "kill", "--signal=STOP", "ulogd2.service"]).code == 0
    try:
        attempt_from(clone, "guest1", targets, rate=1000)
    finally:
        assert clone.run(gateway, ["systemctl", "kill", "--signal=CONT", "ulogd2.service"]).code == 0
    found: set[int] = set()

    def all_told() -> bool:
        nonlocal mark
        lines, mark = collected.following(gateway, mark)
        found.update(packet.port for packet in refused_packets(lines))
        return found >= set(refused)

    assert until(all_told), f"{len(set(refused) - found)} of {len(refused)} refusals are lost"

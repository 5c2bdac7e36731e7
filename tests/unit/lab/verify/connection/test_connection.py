"""A connection stays, carries anything, and is made again when it is lost."""

from __future__ import annotations

import json
import signal
import subprocess
import threading
import time

import pytest

from lab.errors import UsageError
from lab.verify.connection.backend import kept_host
from lab.verify.connection.channel import ChannelError, SshWay, parse_way
from lab.verify.connection.connection import Connection
from tests.unit.lab.verify.connection.ways import LocalChannel, LocalWay

COMMANDS = [
    "echo out; echo err >&2; exit 3", "printf '\\000\\001\\377\\n\\n'", "head -c 300000 /dev/zero", "true", "false",
    "echo \"it's\" '\"quoted\"' $((1+1))", "cat", "nonexistent-command", "echo 'grüß'", "printf ''", "kill -15 $$",
    "cat -- /etc/passwd", "stat -Lc %a /etc/passwd", "stat -Lc %a /nonexistent", "test -e /etc/passwd",
]  # fmt: skip


def local(command: str) -> tuple[int, bytes, bytes]:
    done = subprocess.run(["/bin/sh", "-c", command], capture_output=True, stdin=subprocess.DEVNULL, check=False)
    code = done.returncode if done.returncode >= 0 else 128 - done.returncode
    return code, done.stdout, done.stderr


def test_answers_are_those_of_the_shell_one_by_one_and_together() -> None:
    connection = Connection(LocalWay())
    try:
        expected = [local(command) for command in COMMANDS]
        one_by_one = [connection.run(command) for command in COMMANDS]
        assert [(found.code, found.out, found.err) for found in one_by_one] == expected
        together = connection.run_all(COMMANDS)
        assert [(found.code, found.out, found.err) for found in together] == expected
        assert connection.opened == 1
    finally:
        connection.close()


def test_a_lost_connection_is_made_again_and_asked_again() -> None:
    way = LocalWay()
    connection = Connection(way)
    assert connection.run("echo 1").out == b"1\n"
    way.made[0].process.kill()
    assert connection.run("echo 2").out == b"2\n"
    assert connection.opened == 2
    connection.close()
    assert connection.run("echo 3").out == b"3\n"
    connection.close()


def test_a_machine_that_stays_away_is_an_error_with_its_address() -> None:
    connection = Connection(LocalWay(unreachable_after=0))
    with pytest.raises(ChannelError, match="local://"):
        connection.run("true")


def test_a_machine_that_stays_away_is_not_tried_for_every_question(monkeypatch: pytest.MonkeyPatch) -> None:
    way = LocalWay(unreachable_after=0)
    connection = Connection(way)
    for _ in range(1000):
        with pytest.raises(ChannelError, match="local://"):
            connection.run("true")
    assert connection.opened == 1
    way.unreachable_after = 1
    monkeypatch.setattr("lab.verify.connection.connection.AWAY_SECONDS", 0.0)
    assert connection.run("echo back").out == b"back\n"
    connection.close()


def test_a_command_beyond_its_time_ends_with_124_and_the_connection_stays() -> None:
    connection = Connection(LocalWay())
    try:
        assert connection.run("sleep 30", timeout=0.3).code == 124
        assert connection.run("echo on").out == b"on\n"
        assert connection.opened == 1
    finally:
        connection.close()


def test_commands_have_the_environment_that_the_agent_was_started_with(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LANG", "LC_ALL", "LC_CTYPE"):
        monkeypatch.delenv(name, raising=False)
    connection = Connection(LocalWay())
    try:
        assert connection.run("env | sort").out == local("env | sort")[1]
    finally:
        connection.close()


def test_an_answer_is_whole_also_when_its_writing_was_interrupted() -> None:
    channel = LocalChannel()
    try:
        channel.send(json.dumps({"commands": ["head -c 1000000 /dev/zero"], "timeout": 30}).encode() + b"\n")
        pieces = channel.pieces()
        received = bytearray(next(pieces))  # the rest waits in the agent: a pipe holds less
        time.sleep(0.2)
        for signal_number in (signal.SIGSTOP, signal.SIGCONT):
            channel.process.send_signal(signal_number)
            time.sleep(0.1)
        assert channel.process.stdin
        channel.process.stdin.close()
        for piece in pieces:
            received += piece
        head, _, body = received.partition(b"\n")
        assert json.loads(head)["out"] == len(body) == 1_000_000
    finally:
        channel.close()


def test_threads_share_a_connection() -> None:
    connection = Connection(LocalWay())
    found: dict[int, bytes] = {}

    def ask(number: int) -> None:
        found[number] = connection.run(f"echo {number}").out

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    connection.close()
    assert found == {number: b"%d\n" % number for number in range(20)}


def test_what_was_read_ahead_is_asked_once_and_logged_each_time() -> None:
    connection = Connection(LocalWay())
    host = kept_host(connection, "here")
    try:
        host.backend.read_ahead(["date +%N", "cat -- /etc/passwd"])
        assert host.run("date +%N").stdout == host.run("date +%N").stdout
        assert host.file("/etc/passwd").content_string.startswith("root:")
        assert [reading.command for reading in host.backend.log][:2] == ["date +%N", "date +%N"]
        host.backend.memory.clear()
        assert host.run("date +%N").stdout != host.run("date +%N").stdout
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("address", "way"),
    [
        ("ssh://10.0.0.1", SshWay("10.0.0.1")),
        ("ssh://admin@pacs.example:2222", SshWay("pacs.example", 2222, "admin")),
        ("ssh://root@[fd00::1]:22", SshWay("fd00::1", 22, "root")),
    ],
)
def test_an_address_is_read_and_written(address: str, way: SshWay) -> None:
    assert parse_way(address) == way
    assert str(way) == address


@pytest.mark.parametrize("address", ["pacs", "http://pacs", "ssh://", "ssh://a:b@c", "ssh://a/b", "ssh://a:x"])
def test_anything_else_is_no_address(address: str) -> None:
    with pytest.raises(UsageError):
        parse_way(address)


def test_who_is_not_root_becomes_root_without_being_asked() -> None:
    assert "sudo -n python3" in SshWay("h", user="admin").argv()[-1]
    assert "sudo" not in SshWay("h", user="root").argv()[-1]
    assert "BatchMode=yes" in SshWay("h").argv()

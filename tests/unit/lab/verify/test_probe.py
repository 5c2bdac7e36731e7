"""The probe program tells apart what connects, what is refused and what stays silent."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from pathlib import Path

import lab.verify.probe
from lab.verify.own_machine import listening, own_addresses
from lab.verify.probe import outcome, run


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def test_an_open_port_connects_and_a_closed_one_is_refused_in_the_order_asked() -> None:
    with listening() as port:
        assert run([["tcp", "127.0.0.1", port], ["tcp", "127.0.0.1", closed_port()]], 1, 100) == [
            "connected",
            "refused",
        ]


def test_a_full_backlog_is_silence() -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        address = ["tcp", *server.getsockname()]
        filled = run([address] * 8, 0.3, 1000)
    assert "timeout" in filled


def test_attempts_are_paced() -> None:
    begun = time.monotonic()
    run([["tcp", "127.0.0.1", closed_port()]] * 21, 1, 100)
    assert time.monotonic() - begun >= 0.2


def test_udp_answers_with_a_refusal_where_nobody_listens() -> None:
    assert run([["udp", "127.0.0.1", closed_port()]], 1, 100) == ["refused"]


def test_an_error_that_is_not_known_keeps_its_name() -> None:
    assert outcome(12) == "ENOMEM"


def test_the_program_runs_from_standard_input_without_the_repository() -> None:
    program = Path(lab.verify.probe.__file__).read_bytes()
    with listening() as port:
        task = json.dumps({"timeout": 1, "rate": 10, "targets": [["tcp", "127.0.0.1", port]]})
        argv = [sys.executable, "-I", "-", task]
        done = subprocess.run(argv, input=program, capture_output=True, check=True, cwd="/")
    assert json.loads(done.stdout) == ["connected"]


def test_the_machines_addresses_leave_out_loopback_link_local_and_public_ones(tmp_path: Path) -> None:
    trie = "  |-- 127.0.0.1\n  /32 host LOCAL\n  |-- 192.0.2.2\n  /32 host LOCAL\n  |-- 8.8.8.8\n  /32 host LOCAL\n"
    (tmp_path / "fib_trie").write_text(trie + "  |-- 172.17.0.0\n  /16 link UNICAST\n")
    addresses = ["fd000000000000000000000000000064", "fe80000000000000000000000000abcd"]
    (tmp_path / "if_inet6").write_text("".join(f"{address} 02 40 00 80 eth0\n" for address in addresses))
    assert own_addresses(tmp_path) == ["192.0.2.2", "fd00::64"]

"""What checks read is parsed as it is written, and the programs that read it run anywhere."""

from __future__ import annotations

import json
import os
import socket
import stat
import subprocess
import sys
from typing import TYPE_CHECKING

from lab.verify.connection.backend import kept_host
from lab.verify.connection.connection import Connection
from lab.verify.hardening.facts import FILES, accounts, capability_names, processes, program, sockets, units
from lab.verify.hardening.programs.files import Walk
from tests.unit.lab.verify.connection.ways import LocalWay

if TYPE_CHECKING:
    from pathlib import Path


class Said:
    """A host that gives prepared answers."""

    def __init__(self, **answers: str) -> None:
        """``answers``: by how a command begins."""
        self.answers = answers

    def check_output(self, command: str) -> str:
        """The answer to a command."""
        return next(text for start, text in self.answers.items() if command.startswith(start))


def test_an_account_has_its_password_from_shadow_or_from_where_it_should_not_be() -> None:
    written = "root:x:0:0:root:/root:/bin/bash\nold:secret:5:5::/:/bin/sh\n"

    class Host:
        def check_output(self, command: str) -> str:
            return written if "passwd" in command else "root:*:1::::::\n"

    found = accounts(Host())
    assert (found["root"].password, found["old"].password) == ("*", "secret")


def test_listening_sockets_are_read_with_interfaces_and_both_families() -> None:
    text = (
        "tcp LISTEN 0 128 0.0.0.0:22 0.0.0.0:*\nudp UNCONN 0 0 127.0.0.53%lo:53 0.0.0.0:*\n"
        "tcp LISTEN 0 5 [::1]:631 [::]:*"
    )
    found = sockets(Said(ss=text))
    assert [(entry.protocol, entry.port, entry.loopback) for entry in found] == [
        ("tcp", 22, False), ("udp", 53, True), ("tcp", 631, True)
    ]  # fmt: skip


def test_units_are_read_block_by_block() -> None:
    found = units(Said(systemctl="Id=a.service\nUser=a\n\nId=b.service\nUser=\n"))
    assert found["a.service"]["User"] == "a"
    assert found["b.service"]["User"] == ""


def test_capabilities_are_named_by_their_bits() -> None:
    assert capability_names(0) == set()
    assert capability_names(1 << 12 | 1 << 21) == {"NET_ADMIN", "SYS_ADMIN"}


def test_the_judges_own_processes_are_left_out_and_others_are_not() -> None:
    connection = Connection(LocalWay())
    try:
        found = processes(kept_host(connection, "here"))
    finally:
        connection.close()
    own = {os.getpid(): "the test itself runs outside of the agent"}
    assert own.keys() <= {process.pid for process in found}
    assert not any("pacslab-agent" in process.arguments for process in found)


def test_a_walk_finds_what_is_odd(tmp_path: Path) -> None:
    (tmp_path / "open").touch()
    (tmp_path / "open").chmod(0o666)
    (tmp_path / "setuid").touch()
    (tmp_path / "setuid").chmod(0o4755)
    (tmp_path / "fine").touch()
    (tmp_path / "host.key").touch()
    (tmp_path / "link").symlink_to("open")
    below = tmp_path / "below"
    below.mkdir()
    (below / "authorized_keys").touch()
    bound = socket.socket(socket.AF_UNIX)
    bound.bind(str(below / "s"))
    walk = Walk()
    walk.tree(str(tmp_path))
    bound.close()
    assert {str(entry[4]).rpartition("/")[2]: entry[0] for entry in walk.odd} == {
        "open": 0o666, "setuid": 0o4755, "authorized_keys": stat.S_IMODE((below / "authorized_keys").stat().st_mode),
    }  # fmt: skip
    assert walk.keys == [str(tmp_path / "host.key")]
    assert walk.number == 8
    assert walk.owners == {os.getuid()}


def test_a_program_is_sent_as_its_own_input() -> None:
    assert program("files") == FILES
    assert FILES.startswith("python3 -I - <<'PACSLAB_PROGRAM'\n")
    text = program("tls_probe", "'[]'")
    done = subprocess.run(
        ["/bin/sh", "-c", text.replace("python3", sys.executable, 1)], capture_output=True, check=True
    )
    assert json.loads(done.stdout) == {}

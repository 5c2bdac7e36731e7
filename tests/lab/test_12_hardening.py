"""Every host is hardened as its roles promise, and a host that is weakened is found and named."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.verify.connection.channel import DockerWay
from lab.verify.connection.connection import Connection
from tests.lab_commands import pacslab, succeed

if TYPE_CHECKING:
    from lab.engine.lab import Lab

COMMANDS = [
    "echo out; echo err >&2; exit 3", "printf '\\000\\377\\n'", "cat -- /etc/passwd", "stat -Lc %a /etc/shadow",
    "stat -Lc %U /nonexistent", "test -d /etc", "cat -- /etc/pacslab/health.json", "ls -la /etc/pacslab", "id",
    "pwd",
    "env | sort", "cat",
    "systemctl is-active nftables", "echo \"it's\" '$HOME' $HOME", "kill -15 $$", "nft list chain inet filter forward",
]  # fmt: skip


def test_every_host_is_hardened(lab: Lab) -> None:
    report = succeed("verify", "hardening", "--lab", lab.name, "--json").json
    assert report["failed"] == report["errors"] == []
    assert report["passed"] > 100 * len(lab.site.hosts)


def test_a_weakened_host_is_found_and_named(lab: Lab) -> None:
    host = next(iter(lab.site.hosts))
    assert lab.run(host, ["chmod", "o+r", "/etc/shadow"]).code == 0
    try:
        ran = pacslab("verify", "hardening", "--host", host, "--id", "hardening.files.*", "--lab", lab.name, "--json")
    finally:
        lab.run(host, ["chmod", "0640", "/etc/shadow"])
    assert ran.code == 1
    found = {(entry["id"], entry["host"], entry["subject"]) for entry in ran.json["failed"]}
    assert found == {(f"hardening.files.{name}", host, "/etc/shadow") for name in ("secrets", "system")}


def test_the_kept_connection_answers_as_the_stock_backend_does(lab: Lab) -> None:
    import testinfra  # noqa: PLC0415 # this test alone compares with it

    container = lab.container(next(iter(lab.site.hosts)))
    connection = Connection(DockerWay(lab.docker, container))
    stock = testinfra.get_host(f"docker://{container}")
    try:
        together = connection.run_all(COMMANDS)
        for command, found in zip(COMMANDS, together, strict=True):
            wanted = stock.run(command)
            assert (found.code, found.out, found.err) == (wanted.rc, wanted.stdout_bytes, wanted.stderr_bytes), command
    finally:
        connection.close()

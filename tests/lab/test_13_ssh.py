"""A machine that is no lab is judged through SSH, and as it would be judged in a lab."""

from __future__ import annotations

import base64
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from lab.engine.execute import execute
from lab.images.container import UPDATE_LISTS, build_containers
from lab.images.container import run as run_script
from tests.lab_commands import pacslab, succeed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lab.engine.lab import Lab

SERVER = "/run/pacslab-ssh"
"""On the host, in memory: an OpenSSH of Debian's, which the site's hosts do not have, and its keys."""
FETCH = f"""set -eu
mkdir -p /tmp/fetched{SERVER} && cd /tmp/fetched{SERVER}
apt-get install --quiet --download-only --yes --no-install-recommends openssh-server >&2
apt-get install --simulate --no-install-recommends openssh-server | sed -n 's/^Inst \\([^ ]*\\).*/\\1/p' |
    while read -r name; do dpkg-deb --extract "$OWN/$name"_*.deb .; done
rm -rf etc
"""
LIBRARIES = f"LD_LIBRARY_PATH={SERVER}/usr/lib/x86_64-linux-gnu:{SERVER}/usr/lib/aarch64-linux-gnu"
PREPARE = f"""set -eu
mkdir -p /run/sshd && chmod 0755 /run/sshd
useradd --system --home-dir /run/sshd --shell /usr/sbin/nologin --gid nogroup --no-create-home sshd
part() {{ [ ! -e {SERVER}/usr/lib/openssh/$2 ] || echo "$1 {SERVER}/usr/lib/openssh/$2" >> {SERVER}/sshd_config; }}
part SshdSessionPath sshd-session
part SshdAuthPath sshd-auth
"""
CONFIG = f"""HostKey {SERVER}/host
AuthorizedKeysFile {SERVER}/user.pub
PermitRootLogin prohibit-password
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
StrictModes no
"""


def _key(path: Path) -> None:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path], check=True)


def _fetched(lab: Lab, image: str) -> bytes:
    """A tar archive of Debian's SSH server as it unpacks, through the product's own way to packages."""
    name = "pacslab-build-ssh-server"
    with build_containers(lab.docker, {name: image}):
        run_script(lab.docker, name, UPDATE_LISTS)
        run_script(lab.docker, name, FETCH)
        packed = execute(lab.docker, name, ["sh", "-c", "tar -C /tmp/fetched -c run | base64"])
    assert packed.code == 0
    return base64.b64decode(packed.stdout)


@pytest.fixture
def reachable(clone: Lab, tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """A host of the lab that answers SSH, and the configuration with which it does."""
    host = next(iter(clone.site.hosts))
    image = clone.docker.inspect(clone.container(host))["Image"]
    for name in ("host", "user"):
        _key(tmp_path / name)
    assert clone.run(host, ["tar", "-C", "/", "-x"], input=_fetched(clone, image)).code == 0
    clone.write(host, f"{SERVER}/sshd_config", CONFIG.encode())
    clone.write(host, f"{SERVER}/host", (tmp_path / "host").read_bytes(), mode=0o600)
    clone.write(host, f"{SERVER}/user.pub", (tmp_path / "user.pub").read_bytes())
    assert clone.run(host, ["sh", "-c", PREPARE]).code == 0
    (tmp_path / "known_hosts").write_text(f"{host} {(tmp_path / 'host.pub').read_text()}")
    serve = f"env {LIBRARIES} {SERVER}/usr/sbin/sshd -i -f {SERVER}/sshd_config"
    proxy = f"{sys.executable} -m lab.cli.main exec {host} --lab {clone.name} -- {serve}"
    (tmp_path / "config").write_text(
        f"Host {host}\n  ProxyCommand {proxy}\n  IdentityFile {tmp_path}/user\n  IdentitiesOnly yes\n"
        f"  UserKnownHostsFile {tmp_path}/known_hosts\n  StrictHostKeyChecking yes\n"
    )
    yield host, tmp_path / "config"
    clone.run(host, ["sh", "-c", f"userdel sshd; rm -rf {SERVER} /run/sshd"])


def outcomes(report: dict[str, Any]) -> dict[str, Any]:
    """What a report says of a machine, whichever way it was asked."""
    named = {
        kind: {(entry["id"], entry["subject"]) for entry in report[kind]}
        for kind in ("failed", "errors", "skipped", "not_applicable")
    }
    return {"passed": report["passed"], **named}


def test_a_machine_is_judged_through_ssh_as_in_a_lab(clone: Lab, reachable: tuple[str, Path]) -> None:
    host, config = reachable
    through_engine = pacslab("verify", "hardening", "--host", host, "--lab", clone.name, "--json").json
    ssh = ("--site", clone.site.name, "--hosts", f"{host}=ssh://root@{host}", "--ssh-config", str(config))
    through_ssh = pacslab("verify", "hardening", *ssh, "--json").json
    assert outcomes(through_ssh) == outcomes(through_engine)
    assert through_ssh["passed"] > 100

    succeed("exec", host, "--lab", clone.name, "--", "chmod", "o+r", "/etc/shadow")
    weakened = pacslab("verify", "hardening", *ssh, "--json")
    assert weakened.code == 1
    found = {(entry["id"], entry["host"]) for entry in weakened.json["failed"] if entry["subject"] == "/etc/shadow"}
    assert found == {(f"hardening.files.{name}", host) for name in ("secrets", "system")}


def test_a_machine_that_does_not_answer_is_named_with_what_ssh_said(clone: Lab, reachable: tuple[str, Path]) -> None:
    host, config = reachable
    clone.run(host, ["rm", f"{SERVER}/user.pub"])
    ssh = ("--site", clone.site.name, "--hosts", f"{host}=ssh://root@{host}", "--ssh-config", str(config))
    ran = pacslab("verify", "hardening", *ssh, "--json")
    assert ran.code != 0
    assert f"ssh://root@{host}" in ran.out + ran.err
    assert "Permission denied (publickey)" in ran.out + ran.err

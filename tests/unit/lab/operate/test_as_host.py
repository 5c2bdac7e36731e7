"""A program in a host's place in the network has its network and names, and leaves the machine's as they are."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lab.operate.as_host import entering, names_files, without_proxies
from tests.unit.site_builder import committed_site

if TYPE_CHECKING:
    from collections.abc import Iterator

SITE = committed_site("third-party-devices")
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may enter another's network")
SHOW = "cat /etc/hosts; cat /etc/resolv.conf; hostname; ls /sys/class/net 2>/dev/null; cat /proc/net/dev"


@pytest.fixture
def network() -> Iterator[int]:
    """The process id of a process in a network of its own, which has nothing but a loopback."""
    with subprocess.Popen(["unshare", "--net", "sh", "-c", "echo; exec sleep 60"], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        try:
            yield process.pid
        finally:
            process.kill()


def as_ct9(pid: int, folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    argv = entering(pid, "ct9", *names_files(SITE, folder, "ct9"), command)
    return subprocess.run(argv, capture_output=True, text=True, check=False, timeout=30)


@needs_root
def test_it_has_the_hosts_network_and_the_sites_names_and_no_other(network: int, tmp_path: Path) -> None:
    done = as_ct9(network, tmp_path, "sh", "-c", SHOW)
    assert done.returncode == 0, done.stderr
    assert "192.168.16.10 pacs1.devices.internal pacs1" in done.stdout
    assert "nameserver 127.0.0.1" in done.stdout
    assert "\nct9\n" in done.stdout
    assert [line.split(":")[0].strip() for line in done.stdout.splitlines() if ":" in line and "|" not in line] == [
        "lo"
    ]


@needs_root
def test_the_machine_keeps_its_own_names_and_network(network: int, tmp_path: Path) -> None:
    before = subprocess.run(["sh", "-c", SHOW], capture_output=True, text=True, check=True).stdout.splitlines()[:-4]
    as_ct9(network, tmp_path, "true")
    after = subprocess.run(["sh", "-c", SHOW], capture_output=True, text=True, check=True).stdout.splitlines()[:-4]
    assert [line for line in before if ":" not in line] == [line for line in after if ":" not in line]
    assert "pacs1.devices.internal" not in Path("/etc/hosts").read_text("utf-8")


@needs_root
def test_its_exit_code_and_words_are_the_programs_own(network: int, tmp_path: Path) -> None:
    done = as_ct9(network, tmp_path, "sh", "-c", 'echo "$1"; exit 7', "sh", "two words; $HOME")
    assert (done.returncode, done.stdout) == (7, "two words; $HOME\n")


def test_every_name_of_the_site_is_there(tmp_path: Path) -> None:
    text = names_files(SITE, tmp_path, "ct9")[0].read_text("utf-8")
    for name, host in SITE.hosts.items():
        assert f"{host.address} {SITE.fqdn(name)} {name}\n" in text


def test_the_machines_proxies_are_not_passed_on() -> None:
    given = {"https_proxy": "http://proxy:3128", "HTTP_PROXY": "x", "no_proxy": "*", "PATH": "/bin"}
    assert without_proxies(given) == {"PATH": "/bin"}

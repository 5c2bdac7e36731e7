"""The program that serves the portal, with stand-ins for the portal and for FastCGI, which say who serves what."""

from __future__ import annotations

import os
import signal
import subprocess
from typing import TYPE_CHECKING

import pytest

from lab.deadline import wait_until
from lab.topology.catalog import ROLES_DIR

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PROGRAM = ROLES_DIR / "sign_on" / "files" / "sign-on-portal"
PORTAL = "package Lemonldap::NG::Portal; sub run { return 'portal' } 1;"
SERVER = """package Plack::Handler::FCGI;
sub new { my ($class, %told) = @_; return bless {%told}, $class }
sub run {
    my $self = shift;
    open my $file, '>', "$self->{listen}[0].new" or die;
    print $file "$$ $self->{nproc}";
    close $file;
    rename "$self->{listen}[0].new", $self->{listen}[0];
    sleep 60;
}
1;"""


@pytest.fixture
def portal(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    for name, text in (("Lemonldap/NG/Portal.pm", PORTAL), ("Plack/Handler/FCGI.pm", SERVER)):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text(text, "utf-8")
    sockets = [str(tmp_path / "people"), "3", str(tmp_path / "applications"), "2"]
    with subprocess.Popen(["perl", f"-I{tmp_path}", str(PROGRAM), *sockets]) as process:
        try:
            yield process
        finally:
            process.kill()


def serving(folder: Path, name: str) -> tuple[int, int]:
    """The process that serves a socket, and the number it was told."""
    assert wait_until((folder / name).exists, 10, 0.02)
    process, number = (folder / name).read_text("utf-8").split()
    return int(process), int(number)


def ended(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    return False


def test_each_socket_has_processes_of_its_own(portal: subprocess.Popen[bytes], tmp_path: Path) -> None:
    people, applications = serving(tmp_path, "people"), serving(tmp_path, "applications")
    assert (people[1], applications[1]) == (3, 2)
    assert len({people[0], applications[0], portal.pid}) == 3
    portal.terminate()
    assert portal.wait(10) == 0
    assert wait_until(lambda: ended(people[0]) and ended(applications[0]), 10, 0.02)


@pytest.mark.parametrize("name", ["people", "applications"])
def test_whichever_ends_takes_the_other_with_it(portal: subprocess.Popen[bytes], tmp_path: Path, name: str) -> None:
    others = [serving(tmp_path, one)[0] for one in ("people", "applications")]
    os.kill(serving(tmp_path, name)[0], signal.SIGKILL)
    assert portal.wait(10) == 1
    assert wait_until(lambda: all(map(ended, others)), 10, 0.02)

"""Administrators reach hosts by SSH, with certificates alone and on record; hosts are judged that way as any other."""

from __future__ import annotations

import getpass
import json
import subprocess
import sys
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from lab.events import Bus
from lab.hospital.collected import Collected
from lab.hospital.directory import Directory
from lab.hospital.sign_on import SignOn
from lab.operate.administration import Wish, open_door, ways
from lab.trust.envelope import PRINCIPAL, record
from lab.trust.ssh import HOSTS, USERS, load_ssh_authority
from lab.trust.ssh_authority import Grant, SshAuthority, new_key, private_key
from lab.trust.store import pki_folder
from lab.verify.hardening.sabotages import STOPPED, listener
from tests.lab_commands import pacslab, succeed, until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from lab.engine.lab import Lab

FAILED_TO_COME_IN = 255
MINUTES = timedelta(minutes=5)


def has_all(words: tuple[str, ...], line: dict[str, Any]) -> bool:
    """Whether a collected line has all of these words."""
    return all(word in json.dumps(line) for word in words)


def administered(lab: Lab) -> str:
    """A host that administrators reach, and no firewall."""
    return next(flow.target for flow in lab.site.flows_to("administration") if flow.target != lab.site.gateway)


def source(lab: Lab) -> str:
    """The address that administrators come from."""
    return str(lab.site.hosts[lab.site.with_function("administration")[0]].address)


@pytest.fixture
def host(lab: Lab) -> str:
    """The host that is reached."""
    return administered(lab)


@pytest.fixture
def config(lab: Lab, tmp_path: Path) -> Path:
    """What an SSH client needs to come in, for a test to spoil."""
    return given(lab, tmp_path / "ssh")


def given(lab: Lab, folder: Path) -> Path:
    """What an administrator is given who has signed in; that is tried below, and would take half a minute each time."""
    who = lab.site.administrators[0]
    open_door(lab, ways(lab.site), Wish(who, "a test", "", MINUTES, account=who), folder, Bus())
    return folder / "config"


def factors(lab: Lab, person: str, code: str | None = None) -> str:
    """What somebody types; another code than the own where one is said."""
    sign_on = SignOn.of(lab)
    return f"{sign_on.password(person)}\n{sign_on.code(person) if code is None else code}\n"


def ssh(config: Path, host: str, *words: str) -> subprocess.CompletedProcess[str]:
    argv = ["ssh", "-F", str(config), host, *words]
    return subprocess.run(argv, capture_output=True, text=True, check=False, timeout=60, stdin=subprocess.DEVNULL)


@contextmanager
def session(config: Path, host: str) -> Iterator[subprocess.Popen[bytes]]:
    """A session that is open, and in which nothing happens."""
    argv = ["ssh", "-F", str(config), host, "echo in; cat"]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as client:
        assert client.stdout is not None
        assert client.stdout.readline() == b"in\n"
        yield client


def collected(lab: Lab, host: str, act: Callable[[], object], *words: str) -> bool:
    """Whether the collector has a line of a host with these words, once something was done."""
    centre = Collected(lab)
    mark = centre.mark(host)
    act()
    return centre.wait(host, mark, lambda line: all(word in json.dumps(line) for word in words), timeout=20) is not None


def servers(lab: Lab, host: str) -> str:
    shown = lab.run(host, ["sh", "-c", "cat /proc/[0-9]*/comm 2>/dev/null | grep ^sshd"])
    return shown.stdout.strip()


def test_an_administrator_signs_in_becomes_root_and_is_on_record_by_name(
    lab: Lab, host: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    who, centre = lab.site.administrators[0], Collected(lab)
    mark = centre.mark(host)
    command = ("sudo", "sh", "-c", "id -u; hostname; cat")
    words = ("ssh", host, "--as", who, "--lab", lab.name, "--reason", "a full disk", "--", *command)
    said = succeed(*words, typed=f"{factors(lab, who)}what follows\n").out.split()
    assert said == ["0", host, "what", "follows"]
    for told in (
        (f"Accepted publickey for {who} from", f"ID {who}: a full disk"),
        ('"program": "sudo"', f"{who} : ", "USER=root", "COMMAND=/usr/bin/sh -c"),
    ):
        assert centre.wait(host, mark, partial(has_all, told), timeout=20)
    assert list(tmp_path.iterdir()) == []
    events = [json.loads(line) for line in (lab.folder / "run.jsonl").read_text("utf-8").splitlines()]
    issued = [event for event in events if event["event"] == "certificate_given"][-1]
    assert (issued["person"], issued["principals"], issued["reason"]) == (who, [who], "a full disk")
    listed = succeed("ssh", "--list", "--lab", lab.name, "--json").json
    assert issued["serial"] in {entry["serial"] for entry in listed}


def door(lab: Lab) -> str:
    """Where administrators sign in."""
    return lab.site.with_function("administration")[0]


def test_who_has_no_role_for_it_is_refused_and_on_record(lab: Lab, host: str) -> None:
    who, ran = "v.ortiz", []

    def try_it() -> None:
        ran.append(pacslab("ssh", host, "--as", who, "--lab", lab.name, typed=factors(lab, who)))

    sign_on = SignOn.of(lab).host
    assert collected(lab, sign_on, try_it, '"action": "authorize"', '"reason": "role"', who)
    assert ran[0].code == 1
    assert f"{who} may do nothing at {door(lab)}" in ran[0].err
    assert who not in succeed("ssh", "--list", "--lab", lab.name).out


def test_a_wrong_code_is_refused_and_on_record(lab: Lab, host: str) -> None:
    who, ran = lab.site.administrators[0], []

    def try_it() -> None:
        ran.append(pacslab("ssh", host, "--as", who, "--lab", lab.name, typed=factors(lab, who, "000000")))

    assert collected(lab, door(lab), try_it, '"action": "sign-in"', '"outcome": "refused"', who)
    assert ran[0].code == 1
    assert "does not take this one-time password" in ran[0].err


def test_nobody_comes_in_without_saying_who(lab: Lab, host: str) -> None:
    ran = pacslab("ssh", host, "--lab", lab.name, "--", "true")
    assert (ran.code, "--break-glass REASON" in ran.err) == (2, True)


def test_the_exit_code_is_the_commands(lab: Lab, host: str, config: Path) -> None:
    del lab
    assert ssh(config, host, "exit 7").returncode == 7


def test_no_server_runs_while_nobody_is_there(lab: Lab, host: str, config: Path) -> None:
    with session(config, host) as client:
        assert "sshd-session" in servers(lab, host)
        client.terminate()
    assert until(lambda: not servers(lab, host))


def replaced(config: Path, authority: SshAuthority, wish: Grant, now: datetime) -> None:
    """Put another key and certificate in the place of those that were given."""
    key = new_key()
    certificate = authority.user_certificate(key.public_key(), wish, 7, now)
    (config.parent / "key").write_bytes(private_key(key))
    (config.parent / "key-cert.pub").write_bytes(certificate + b"\n")


def test_an_idle_session_ends_and_its_programs_with_it(clone: Lab, tmp_path: Path) -> None:
    host, config = administered(clone), given(clone, tmp_path / "ssh")
    shorter = "s/^ChannelTimeout session:.*/ChannelTimeout session:*=2s/"
    assert clone.run(host, ["sed", "-i", shorter, "/etc/ssh/sshd_config"]).code == 0
    try:
        with session(config, host) as client:
            client.wait(timeout=30)
        assert until(lambda: not servers(clone, host))
    finally:
        clone.run(host, ["sed", "-i", shorter.replace("2s", "15m"), "/etc/ssh/sshd_config"])


def test_a_good_certificate_that_is_put_in_place_would_let_in(lab: Lab, host: str, config: Path) -> None:
    users = load_ssh_authority(pki_folder(lab.folder), USERS)
    who = lab.site.administrators[0]
    replaced(config, users, Grant("x", "y", (who,), (source(lab),), MINUTES), datetime.now(UTC))
    assert ssh(config, host, "id", "-un").stdout == f"{who}\n"


@pytest.mark.parametrize(
    ("begun", "elsewhere", "reason"),
    [
        (timedelta(hours=1), (), "Certificate invalid: expired"),
        (timedelta(hours=-1), (), "Certificate invalid: not yet valid"),
        (timedelta(0), ("192.0.2.7",), "not from a permitted source address"),
    ],
    ids=["expired", "not yet valid", "for another address"],
)
def test_a_certificate_counts_in_its_time_and_at_its_address_alone(
    lab: Lab, config: Path, begun: timedelta, elsewhere: tuple[str, ...], reason: str
) -> None:
    host, users = administered(lab), load_ssh_authority(pki_folder(lab.folder), USERS)
    wish = Grant("x", "y", lab.site.administrators[:1], elsewhere or (source(lab),), MINUTES)
    replaced(config, users, wish, datetime.now(UTC) - begun)
    done: list[subprocess.CompletedProcess[str]] = []
    assert collected(lab, host, lambda: done.append(ssh(config, host, "id", "-un")), reason)
    assert done[0].returncode == FAILED_TO_COME_IN
    assert "Permission denied (publickey)" in done[0].stderr


def test_a_host_that_another_authority_vouches_for_is_not_talked_to(lab: Lab, host: str, config: Path) -> None:
    known = config.parent / "known_hosts"
    assert load_ssh_authority(pki_folder(lab.folder), HOSTS).line() in known.read_text("utf-8")
    known.write_text(f"@cert-authority *.{lab.site.topology.domain} {SshAuthority(new_key(), 'other').line()}\n")
    done = ssh(config, host, "id", "-un")
    assert done.returncode == FAILED_TO_COME_IN
    assert "Host key verification failed" in done.stderr
    assert done.stdout == ""


def locked(clone: Lab, who: str) -> Iterator[None]:
    directory = Directory.of(clone)
    for guess in range(5):
        directory.sign_in(who, f"a guess, number {guess}")
    yield
    clone.run(directory.host, ["samba-tool", "user", "unlock", who])


def test_a_locked_account_is_told_as_such_and_not_let_in(clone: Lab) -> None:
    who = clone.site.administrators[0]
    with contextmanager(locked)(clone, who):
        ran = pacslab("ssh", administered(clone), "--as", who, "--lab", clone.name, typed=factors(clone, who))
    assert ran.code == 1
    assert "the account is locked" in ran.err
    assert "service desk" in ran.err


@pytest.mark.night
def test_who_loses_the_role_is_out_within_a_minute(clone: Lab) -> None:
    who, host = clone.site.administrators[0], administered(clone)
    directory, (role,) = Directory.of(clone).host, clone.site.topology.people[clone.site.administrators[0]].roles
    argv = [
        sys.executable,
        "-m",
        "lab.cli.main",
        "ssh",
        host,
        "--as",
        who,
        "--lab",
        clone.name,
        "--",
        "sh",
        "-c",
        "echo in; cat",
    ]
    pipe = subprocess.PIPE
    with subprocess.Popen(argv, text=True, stdin=pipe, stdout=pipe, stderr=pipe) as client:
        assert client.stdin is not None
        assert client.stdout is not None
        client.stdin.write(factors(clone, who))
        client.stdin.flush()
        assert client.stdout.readline() == "in\n"
        taken = time.monotonic()
        assert clone.run(directory, ["samba-tool", "group", "removemembers", role, who]).code == 0
        try:
            client.wait(timeout=75)
            seconds = time.monotonic() - taken
        finally:
            clone.run(directory, ["samba-tool", "group", "addmembers", role, who])
            client.kill()
        assert client.stderr is not None
        said = client.stderr.read()
    assert seconds < 60
    assert "The session was ended" in said
    assert until(lambda: not servers(clone, host))


def test_while_the_sign_on_is_down_the_envelope_is_opened_told_and_sealed_again(clone: Lab, tmp_path: Path) -> None:
    host, sign_on, said = administered(clone), SignOn.of(clone).host, []
    pki = pki_folder(clone.folder)
    assert clone.run(sign_on, ["systemctl", "stop", "nginx", "pacslab-sign-on"]).code == 0
    try:
        who = clone.site.administrators[0]
        ran = pacslab("ssh", host, "--as", who, "--lab", clone.name, typed="a password\n000000\n")
        assert ran.code == 3
        assert "--break-glass" in ran.err
        before = (pki / PRINCIPAL).read_text("utf-8").strip()

        def break_glass() -> None:
            words = ("ssh", host, "--break-glass", "the sign-on is down", "--lab", clone.name)
            said.extend(succeed(*words, "--", "sh", "-c", "id -un; sudo id -u").out.split())

        assert collected(clone, door(clone), break_glass, '"action": "open-envelope"', f'"target": "{host}"')
        assert said == ["emergency", "0"]
    finally:
        clone.run(sign_on, ["systemctl", "start", "pacslab-sign-on", "nginx"])
    found = record(pki)
    assert [entry.what for entry in found[-2:]] == ["opened", "sealed"]
    assert (found[-2].by, found[-2].reason, found[-2].host) == (getpass.getuser(), "the sign-on is down", host)
    config = given(clone, tmp_path / "ssh")
    users = load_ssh_authority(pki, USERS)
    replaced(config, users, Grant("x", "y", (before,), (source(clone),), MINUTES), datetime.now(UTC))
    done: list[subprocess.CompletedProcess[str]] = []
    refused = "Certificate does not contain an authorized principal"
    assert collected(clone, host, lambda: done.append(ssh(config, f"emergency@{host}", "id", "-un")), refused)
    assert done[0].returncode == FAILED_TO_COME_IN


def test_who_is_asked_for_names_and_reasons_gets_nothing_that_spoils_a_log(lab: Lab, host: str) -> None:
    ran = pacslab("ssh", host, "--lab", lab.name, "--break-glass", "two\nlines", "--", "true")
    assert ran.code == 2
    assert "no reason to open the envelope" in ran.err


Judged = dict[tuple[str, str], tuple[str, str]]
"""By promise and subject: the outcome, and the reason where nothing was judged."""


def judged(lab: Lab, *words: str) -> Judged:
    """What the check of a host came to."""
    report = pacslab("verify", "hardening", *words, "--json").json
    site = f"{lab.site.name}-machines" if "--hosts" in words else lab.name
    kept = succeed("runs", "show", report["run"], "--lab", site, "--json").json
    return {(entry["id"], entry["subject"]): (entry["outcome"], entry["reason"]) for entry in kept["results"]}


def named(found: Judged, outcome: str) -> set[str]:
    return {name for (name, _), (word, _) in found.items() if word == outcome}


def test_a_host_is_judged_over_ssh_as_through_the_engine(lab: Lab, host: str, config: Path) -> None:
    over_ssh = (
        "--site",
        lab.site.name,
        "--hosts",
        f"ssh://{lab.site.administrators[0]}@{host}",
        "--ssh-config",
        str(config),
    )
    through_engine, through_ssh = judged(lab, "--lab", lab.name, "--host", host), judged(lab, *over_ssh)
    for found in (through_engine, through_ssh):
        assert [named(found, outcome) for outcome in ("failed", "error", "skipped")] == [set(), set(), set()]
    passed = {subject for subject, (outcome, _) in through_ssh.items() if outcome == "passed"}
    assert len(passed) > 100
    otherwise = {subject for subject, (outcome, _) in through_engine.items() if outcome == "passed"} - passed
    assert {through_ssh[subject][1] for subject in otherwise} == {"the machine is no container of a lab"}

    weaken = f"touch /etc/open && chmod 0666 /etc/open; {listener('0.0.0.0', 4444)}"  # noqa: S104 # that is the sabotage
    assert lab.run(host, ["sh", "-c", weaken]).code == 0
    try:
        weakened = judged(lab, *over_ssh)
    finally:
        lab.run(host, ["sh", "-c", f"rm -f /etc/open; {STOPPED}"])
    assert {"hardening.files.writable", "hardening.sockets.listening"} <= named(weakened, "failed")


def test_a_machine_that_lets_nobody_in_is_named_with_what_ssh_said(lab: Lab, host: str, config: Path) -> None:
    (config.parent / "key-cert.pub").unlink()
    over_ssh = (
        "--site",
        lab.site.name,
        "--hosts",
        f"ssh://{lab.site.administrators[0]}@{host}",
        "--ssh-config",
        str(config),
    )
    ran = pacslab("verify", "hardening", *over_ssh, "--json")
    assert ran.code != 0
    assert f"ssh://{lab.site.administrators[0]}@{host}" in ran.out + ran.err
    assert "Permission denied (publickey)" in ran.out + ran.err

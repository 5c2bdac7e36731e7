"""Every message reaches the repository over mutual TLS: whatever is cut, lost or answered, in order, and kept once."""

from __future__ import annotations

import re
import ssl
import threading
from typing import TYPE_CHECKING

import pytest

from lab.trust.store import pki_folder
from simulators.audit.heads import Heads
from simulators.audit.message import Message, header
from simulators.audit.send import PROTOCOL, Repository, Sender, framed
from simulators.audit.spool import Spool
from tests.unit.simulators.audit.repository import IDENTITY, TestRepository, server_side
from tests.unit.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FQDN = "ct1.imaging.internal"


@pytest.fixture(scope="module")
def keys(pki: Path) -> Path:
    return pki_folder(pki)


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    opened = Spool(tmp_path / "spool", segment=2_000)
    yield opened
    opened.close()


def client_side(keys: Path, host: str = "ct1", certificate: str = "syslog") -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(keys / "ca.crt")
    context.load_cert_chain(keys / f"hosts/{host}/{certificate}.crt", keys / f"hosts/{host}/{certificate}.key")
    return context


def fill(spool: Spool, count: int) -> None:
    for number in range(count):
        message = Message("110112", "2026-01-05T09:12:44.310Z", "pacslab-ris", "12", f"<x>{'y' * (number % 90)}</x>")
        spool.add(header(message, FQDN, spool.run, spool.next), "place")
    spool.commit()


def sender_to(repository: TestRepository, spool: Spool, keys: Path, **more: float) -> Sender:
    target = Repository("127.0.0.1", repository.port, IDENTITY, lambda: client_side(keys))
    return Sender(spool, target.connect, first_pause=0.01, **more)  # type: ignore[arg-type]


def all_arrives(repository: TestRepository, spool: Spool, sender: Sender, count: int) -> None:
    """Wait until the repository has all messages once, and the spool knows it."""
    sender.start()
    try:
        wait_until(lambda: not spool.waiting, f"{spool.waiting} messages wait: {sender.trouble}")
    finally:
        sender.stop()
    run = spool.run.encode()
    assert sorted(repository.stored) == [(run, number) for number in range(1, count + 1)]


@pytest.fixture
def repository(keys: Path) -> Iterator[TestRepository]:
    listening = TestRepository(server_side(keys))
    yield listening
    listening.close()


def test_messages_arrive_in_frames_with_their_number_and_run(
    repository: TestRepository, spool: Spool, keys: Path
) -> None:
    fill(spool, 300)
    all_arrives(repository, spool, sender_to(repository, spool, keys), 300)
    assert repository.doubles == 0
    assert repository.stored[spool.run.encode(), 3].endswith(b"] <x>yy</x>")


def test_what_is_added_later_is_sent_when_it_is_told(repository: TestRepository, spool: Spool, keys: Path) -> None:
    sender = sender_to(repository, spool, keys)
    sender.start()
    for number in range(1, 6):
        fill(spool, 1)
        sender.more()
        wait_until(lambda: not spool.waiting, "it is not sent")
        assert len(repository.stored) == number
    sender.stop()
    assert (repository.connections, repository.doubles) == (1, 0)


def test_a_connection_that_is_cut_at_any_point_loses_nothing(keys: Path, tmp_path: Path) -> None:
    probe = Spool(tmp_path / "probe")
    fill(probe, 3)
    octets = sum(len(framed(kept.data)) for kept in probe.after(0, 1 << 20))
    for cut in [*range(0, octets, 7), octets - 1, octets]:
        repository = TestRepository(server_side(keys))
        repository.cuts = [cut, octets - cut]
        spool = Spool(tmp_path / f"spool-{cut}")
        fill(spool, 3)
        all_arrives(repository, spool, sender_to(repository, spool, keys), 3)
        spool.close()
        repository.close()


def test_what_was_not_acknowledged_is_sent_again_and_kept_once(spool: Spool, keys: Path) -> None:
    repository = TestRepository(server_side(keys), acknowledges=lambda connection: connection > 1)
    repository.cuts = [3_000, 5_000]
    fill(spool, 100)
    all_arrives(repository, spool, sender_to(repository, spool, keys), 100)
    repository.close()
    assert repository.connections == 3
    assert repository.doubles > 10


def test_a_repository_that_acknowledges_nothing_is_connected_to_again(spool: Spool, keys: Path) -> None:
    repository = TestRepository(server_side(keys), acknowledges=lambda connection: connection > 0)
    fill(spool, 10)
    all_arrives(repository, spool, sender_to(repository, spool, keys, silence=0.2), 10)
    repository.close()
    assert (repository.connections, repository.doubles) == (2, 10)


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 400 Bad Request\r\n\r\n%b %d",
        b"ACK %b -%d\n",
        b"ACK %b %d more\n",
        b"A" * 300 + b"%b%d",
        b"ACK 00000000-0000-4000-8000-000000000000 9\n%.0b%.0d",
    ],
)
def test_what_is_no_acknowledgement_acknowledges_nothing(spool: Spool, keys: Path, answer: bytes) -> None:
    repository = TestRepository(server_side(keys))
    repository.answer = answer
    fill(spool, 5)
    sender = sender_to(repository, spool, keys, silence=0.1)
    sender.start()
    wait_until(lambda: repository.connections > 2, "it is not tried again")
    sender.stop()
    repository.close()
    assert (spool.acknowledged, spool.waiting) == (0, 5)


def test_more_than_was_sent_is_not_acknowledged(spool: Spool, keys: Path) -> None:
    repository = TestRepository(server_side(keys))
    repository.answer = b"ACK %b 9%.0d\n"
    fill(spool, 5)
    sender = sender_to(repository, spool, keys)
    sender.start()
    wait_until(lambda: not spool.waiting, "it is not sent")
    fill(spool, 4)
    sender.more()
    wait_until(lambda: len(repository.stored) == 9, "later ones are not sent")
    sender.stop()
    repository.close()


def test_while_the_repository_is_away_messages_wait_and_then_arrive_in_order(spool: Spool, keys: Path) -> None:
    first = TestRepository(server_side(keys))
    port = first.port
    first.close()
    target = Repository("127.0.0.1", port, IDENTITY, lambda: client_side(keys))
    sender = Sender(spool, target.connect, first_pause=0.01)
    sender.start()
    fill(spool, 20)
    sender.more()
    wait_until(lambda: "refused" in sender.trouble, "it says nothing of its trouble")
    second = TestRepository(server_side(keys))
    moved = Sender(
        spool, Repository("127.0.0.1", second.port, IDENTITY, lambda: client_side(keys)).connect, first_pause=0.01
    )
    sender.stop()
    all_arrives(second, spool, moved, 20)
    second.close()
    numbers = [int(re.search(rb'seq="(\d+)"', message)[1]) for message in second.stored.values()]  # type: ignore[index]
    assert numbers == sorted(numbers)


@pytest.mark.parametrize(
    ("identity", "says"),
    [("syslog-service.ct1.imaging.internal", "Hostname mismatch"), ("ct1.imaging.internal", "Hostname mismatch")],
)
def test_another_name_than_the_repositorys_is_told_nothing(
    repository: TestRepository, spool: Spool, keys: Path, identity: str, says: str
) -> None:
    fill(spool, 3)
    target = Repository("127.0.0.1", repository.port, identity, lambda: client_side(keys))
    sender = Sender(spool, target.connect, first_pause=0.01)
    sender.start()
    wait_until(lambda: says in sender.trouble, "it is believed")
    sender.stop()
    assert (repository.stored, spool.waiting) == ({}, 3)


def test_what_the_repository_says_of_its_chain_is_kept_beside_the_spool(
    repository: TestRepository, spool: Spool, keys: Path, tmp_path: Path
) -> None:
    head = b"HEAD 17 " + b"0a" * 32
    repository.answer = head + b"\nACK %b %d\n"
    fill(spool, 3)
    target = Repository("127.0.0.1", repository.port, IDENTITY, lambda: client_side(keys))
    all_arrives(repository, spool, Sender(spool, target.connect, keep=Heads(tmp_path).keep), 3)
    (kept,) = tmp_path.rglob("head")
    assert kept.read_text() == f"17 {'0a' * 32}\n"


@pytest.mark.parametrize("protocols", [(), ("http/1.1",)])
def test_a_collector_that_acknowledges_nothing_is_sent_nothing(
    spool: Spool, keys: Path, protocols: tuple[str, ...]
) -> None:
    collector = TestRepository(server_side(keys, protocols=protocols))
    fill(spool, 3)
    sender = sender_to(collector, spool, keys)
    sender.start()
    wait_until(lambda: "pacslab-audit" in sender.trouble, "it is believed")
    sender.stop()
    collector.close()
    assert (collector.stored, spool.waiting) == ({}, 3)


def test_a_repository_that_no_revocation_list_speaks_for_is_told_nothing(
    repository: TestRepository, spool: Spool, keys: Path
) -> None:
    def context() -> ssl.SSLContext:
        strict = client_side(keys)
        strict.verify_flags |= ssl.VERIFY_CRL_CHECK_LEAF  # and no list at all
        return strict

    fill(spool, 3)
    sender = Sender(spool, Repository("127.0.0.1", repository.port, IDENTITY, context).connect, first_pause=0.01)
    sender.start()
    wait_until(lambda: "CRL" in sender.trouble, "it is believed")
    sender.stop()
    assert repository.stored == {}


def test_a_sender_whose_certificate_the_repository_refuses_keeps_its_messages(spool: Spool, keys: Path) -> None:
    other = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    other.load_cert_chain(keys / "hosts/siem1/syslog.crt", keys / "hosts/siem1/syslog.key")
    other.verify_mode = ssl.CERT_REQUIRED  # and it believes no authority
    other.set_alpn_protocols([PROTOCOL])
    repository = TestRepository(other)
    fill(spool, 3)
    sender = sender_to(repository, spool, keys)
    sender.start()
    wait_until(lambda: sender.connections > 2 or "TLS" in sender.trouble, "it is not refused")
    sender.stop()
    repository.close()
    assert (spool.waiting, repository.stored) == (3, {})


def test_a_stop_while_nothing_answers_ends_at_once(spool: Spool) -> None:
    fill(spool, 3)

    def refuse() -> ssl.SSLSocket:
        raise ConnectionRefusedError

    sender = Sender(spool, refuse)
    sender.start()
    wait_until(lambda: sender.trouble != "not connected yet", "it does not try")
    stopping = threading.Thread(target=sender.stop)
    stopping.start()
    stopping.join(5)
    assert not stopping.is_alive()
    assert not sender.alive


def test_new_certificates_make_a_new_connection_while_nothing_is_on_its_way(
    repository: TestRepository, spool: Spool, keys: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("simulators.audit.send.IDLE", 0.05)
    age = [1]
    target = Repository("127.0.0.1", repository.port, IDENTITY, lambda: client_side(keys))
    sender = Sender(spool, target.connect, changed=lambda: age[0], first_pause=0.01)
    fill(spool, 2)
    sender.start()
    wait_until(lambda: not spool.waiting, "nothing is sent")
    assert repository.connections == 1
    age[0] = 2
    wait_until(lambda: repository.connections == 2, "the connection is the former one")
    fill(spool, 2)
    sender.more()
    wait_until(lambda: not spool.waiting, "nothing is sent")
    sender.stop()
    assert repository.doubles == 0

"""DICOM associations: AE titles are checked, TCP_NODELAY is set, and what went wrong has a name."""

from __future__ import annotations

import socket
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
from pydicom.dataset import Dataset
from pynetdicom import evt

import simulators.association
from simulators import report_lock, response_guard
from simulators.association import associate, contexts, start_scp
from simulators.errors import AssociationRejectedError, NotReadyError, UnreachableError
from tests.unit.simulators.peers import free_port, loopback_peer

if TYPE_CHECKING:
    from collections.abc import Iterator

VERIFICATION = "1.2.840.10008.1.1"
PUSH_MODEL = "1.2.840.10008.1.20.1"
PUSH_MODEL_INSTANCE = "1.2.840.10008.1.20.1.1"


@pytest.fixture
def options() -> list[int]:
    return []


@pytest.fixture
def port(options: list[int]) -> Iterator[int]:
    def look(event: Any) -> int:
        connection = event.assoc.dul.socket.socket
        options.append(connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        return 0x0000

    number = free_port()
    server = start_scp("RIS1", number, contexts([VERIFICATION]), [(evt.EVT_C_ECHO, look)], callers=["CT1"])
    yield number
    server.shutdown()


def test_an_association_is_opened_used_and_released(port: int, options: list[int]) -> None:
    with associate(loopback_peer(port), contexts([VERIFICATION]), calling="CT1", tls=None) as association:
        assert association.send_c_echo().Status == 0x0000
        ours = association.dul.socket
        assert ours is not None
        assert ours.socket is not None
        options.append(ours.socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
    assert association.is_released
    assert [bool(option) for option in options] == [True, True]


class LatePause(threading.Event):
    """A checkpoint whose passer is held up just behind it, as on a machine that is busy."""

    def wait(self, timeout: float | None = None) -> bool:
        """Pass when it is open, and dawdle."""
        passed = super().wait(timeout)
        time.sleep(0.05)
        return passed


def answers_when_the_loop_is_late(port: int, monkeypatch: pytest.MonkeyPatch) -> list[int | None]:
    """Statuses of C-ECHOs while pynetdicom's own loop looks at the queue just before each response comes."""
    monkeypatch.setattr(simulators.association, "DIMSE_SECONDS", 2.0)
    with associate(loopback_peer(port), contexts([VERIFICATION]), calling="CT1", tls=None) as association:
        late = LatePause()
        late.set()
        association._reactor_checkpoint = late  # noqa: SLF001 # the race is in there
        send = association.dimse.send_msg

        def send_and_dawdle(*arguments: Any) -> None:
            send(*arguments)
            time.sleep(0.1)

        monkeypatch.setattr(association.dimse, "send_msg", send_and_dawdle)
        answers: list[int | None] = []
        while len(answers) < 10 and None not in answers:
            answers.append(association.send_c_echo().get("Status"))
        return answers


def test_a_response_is_not_lost_to_pynetdicoms_own_loop(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    assert answers_when_the_loop_is_late(port, monkeypatch) == [0x0000] * 10


def test_without_the_guard_a_response_is_lost_so_it_is_still_needed(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(response_guard.SWITCH, "1")
    assert answers_when_the_loop_is_late(port, monkeypatch)[-1] is None


def status_of_a_report_during_a_release() -> int | None:
    """What a peer gets for its event report, when the association is released while the report is being answered."""
    asked, taken, answered = threading.Event(), threading.Event(), threading.Event()
    statuses: list[int | None] = []
    request = Dataset()
    request.TransactionUID = "2.25.1"

    def report(association: Any) -> None:
        asked.wait(5)
        status, _ = association.send_n_event_report(request, 1, PUSH_MODEL, PUSH_MODEL_INSTANCE)
        statuses.append(status.get("Status"))
        answered.set()

    def on_action(event: Any) -> tuple[int, None]:
        threading.Thread(target=report, args=(event.assoc,)).start()
        return 0x0000, None

    def on_report(_: Any) -> tuple[int, None]:
        taken.set()
        time.sleep(0.3)
        return 0x0000, None

    number = free_port()
    server = start_scp("RIS1", number, contexts([PUSH_MODEL]), [(evt.EVT_N_ACTION, on_action)])
    try:
        handlers = [(evt.EVT_N_EVENT_REPORT, on_report)]
        peer = loopback_peer(number)
        with associate(peer, contexts([PUSH_MODEL]), calling="CT1", tls=None, handlers=handlers) as association:
            association.send_n_action(request, 1, PUSH_MODEL, PUSH_MODEL_INSTANCE)
            asked.set()
            assert taken.wait(5)
        assert answered.wait(10)
    finally:
        server.shutdown()
    return statuses[0]


def test_a_report_is_answered_before_the_association_is_released() -> None:
    assert status_of_a_report_during_a_release() == 0x0000


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_without_the_lock_the_answer_is_lost_so_it_is_still_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(report_lock.SWITCH, "1")
    monkeypatch.setattr(simulators.association, "DIMSE_SECONDS", 2.0)
    monkeypatch.setattr(simulators.association, "ACSE_SECONDS", 1.0)
    assert status_of_a_report_during_a_release() is None


@pytest.mark.parametrize(
    ("calling", "called", "why"),
    [("EVIL", None, "Calling AE title not recognised"), ("CT1", "ANY-SCP", "Called AE title not recognised")],
)
def test_another_ae_title_is_rejected(port: int, calling: str, called: str | None, why: str) -> None:
    opening = associate(loopback_peer(port), contexts([VERIFICATION]), calling=calling, tls=None, called=called)
    with pytest.raises(AssociationRejectedError, match=why), opening:
        pytest.fail("the association stood")


def test_a_peer_that_is_not_there_is_unreachable() -> None:
    opening = associate(loopback_peer(free_port()), contexts([VERIFICATION]), calling="CT1", tls=None)
    with pytest.raises(UnreachableError), opening:
        pytest.fail("the association stood")


def test_a_peer_that_hangs_up_has_rejected() -> None:
    with socket.create_server(("127.0.0.1", 0)) as edge:
        opening = associate(loopback_peer(edge.getsockname()[1]), contexts([VERIFICATION]), calling="CT1", tls=None)

        def hang_up() -> None:
            connection, _ = edge.accept()
            connection.recv(4096)
            connection.close()

        thread = threading.Thread(target=hang_up)
        thread.start()
        with pytest.raises(AssociationRejectedError, match="closed the connection"), opening:
            pytest.fail("the association stood")
        thread.join()


@pytest.mark.parametrize(
    "data",
    [b"GET / HTTP/1.0\r\n\r\n", b"\x01\x00\x00\x00\x00\x0a" + bytes(10), b"\x04\x00\x00\x00\x00\x04\x00\x00\x00\x00"],
)
def test_what_is_not_dicom_does_no_harm(port: int, data: bytes) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.sendall(data)
    with associate(loopback_peer(port), contexts([VERIFICATION]), calling="CT1", tls=None) as association:
        assert association.send_c_echo().Status == 0x0000


def test_a_port_that_is_taken_is_said() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other, pytest.raises(NotReadyError, match="cannot listen"):
        start_scp("RIS1", other.getsockname()[1], contexts([VERIFICATION]), [])

"""Requests without end in one association are counted by their answers, and end with the association."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

import pytest
from pynetdicom import AE, evt
from pynetdicom.sop_class import Verification  # type: ignore[attr-defined] # pynetdicom makes these names at run time

from simulators.misuse.cases import dicom_crowds
from simulators.misuse.cases.dicom_crowds import ACCEPTED, echoes

if TYPE_CHECKING:
    from collections.abc import Iterator


class Archive:
    """Answers verification, up to a number of times in one association."""

    def __init__(self) -> None:
        """Answer without end."""
        self.most, self.answered = 1 << 30, 0

    def echo(self, event: Any) -> int:
        """Answer, or abort."""
        if self.answered == self.most:
            event.assoc.abort()
        self.answered += 1
        return 0


@pytest.fixture
def archive() -> Iterator[tuple[Archive, int]]:
    made, entity = Archive(), AE("PACS")
    entity.add_supported_context(Verification)
    server = entity.start_server(("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_C_ECHO, made.echo)])
    yield made, server.server_address[1]
    server.shutdown()


def answered(port: int, wanted: int) -> int:
    """How many requests of one association are answered."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(dicom_crowds._request(b"PACS", b"CT1"))  # noqa: SLF001 # as the case sends it
        answers = connection.makefile("rb")
        assert dicom_crowds._pdu(answers) == ACCEPTED  # noqa: SLF001 # likewise
        return echoes(connection, answers, wanted)


def test_every_request_is_understood_and_its_answer_counted(archive: tuple[Archive, int]) -> None:
    assert answered(archive[1], 250) == 250
    assert archive[0].answered == 250


def test_an_association_that_is_ended_ends_the_count(archive: tuple[Archive, int]) -> None:
    archive[0].most = 120
    assert 100 <= answered(archive[1], 250) <= 120

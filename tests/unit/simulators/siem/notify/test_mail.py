"""A mail reaches the server that proves its name and nobody else; what the server says decides what becomes of it."""

from __future__ import annotations

from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import TYPE_CHECKING

import pytest

from simulators.errors import RefusedError, SimulatorError, TlsRefusedError, UnreachableError
from simulators.siem.notify.mail import MailServer, NotTakenError
from tests.unit.simulators.peers import free_port
from tests.unit.simulators.siem.notify.post import SERVER, Post, client_side

if TYPE_CHECKING:
    from pathlib import Path


def server_at(port: int, keys: Path, identity: str = SERVER) -> MailServer:
    return MailServer("127.0.0.1", port, identity, "siem1.imaging.internal", lambda: client_side(keys))


def letter(subject: str = "[reference] high: ports scanned") -> EmailMessage:
    message = EmailMessage()
    message["Subject"], message["From"], message["To"] = subject, "siem@a.internal", "k.osei@a.internal"
    message.set_content("What to do:\n.\n- Ünder\n")
    return message


def test_a_mail_arrives_whole(post: Post, keys: Path) -> None:
    server_at(post.port, keys).deliver(letter())
    ((recipient, kept),) = post.kept
    read = message_from_bytes(kept, policy=policy.default)
    assert recipient == "k.osei@a.internal"
    assert read["Subject"] == "[reference] high: ports scanned"
    assert "- Ünder" in read.get_content()


def test_looking_leaves_no_mail(post: Post, keys: Path) -> None:
    server_at(post.port, keys).look()
    assert post.kept == []


@pytest.mark.parametrize(
    ("command", "answer", "kind"),
    [
        (".", "554 no", NotTakenError),
        (".", "451 later", RefusedError),
        (".", "", UnreachableError),
        ("RCPT", "550 nobody", RefusedError),
        ("RCPT", "450 later", RefusedError),
        ("MAIL", "530 no", RefusedError),
        ("DATA", "421 later", RefusedError),
        ("EHLO", "", UnreachableError),
    ],
)
def test_what_is_not_taken_is_told(post: Post, keys: Path, command: str, answer: str, kind: type[Exception]) -> None:
    post.answers[command] = answer
    with pytest.raises(SimulatorError) as caught:
        server_at(post.port, keys).deliver(letter())
    assert type(caught.value) is kind
    assert post.kept == []


def test_another_server_is_told_nothing(post: Post, keys: Path) -> None:
    with pytest.raises(TlsRefusedError):
        server_at(post.port, keys, "mail-service.mail1.imaging.internal").deliver(letter())
    assert post.kept == []


def test_nobody_there_is_told(keys: Path) -> None:
    with pytest.raises(UnreachableError):
        server_at(free_port(), keys).look()

"""A webhook is sent signed JSON, over HTTPS alone, and only to who proves the name; nothing leads it elsewhere."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import ssl
from typing import TYPE_CHECKING

import pytest

from simulators.errors import ArgumentError, RefusedError, SimulatorError, TlsRefusedError, UnreachableError
from simulators.siem.notify.mail import NotTakenError
from simulators.siem.notify.webhook import Webhook
from tests.unit.simulators.peers import free_port
from tests.unit.simulators.siem.notify.post import Receiver

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

SECRET = b"secret-of-siem1"
CONTENT = {"site": "reference", "incident": 7, "titles": ["a\r\nb"]}


@pytest.fixture
def receiver(keys: Path) -> Iterator[Receiver]:
    listening = Receiver(keys)
    yield listening
    listening.close()


def trusting(keys: Path, *, name: bool = True) -> Callable[[], ssl.SSLContext]:
    """Contexts that believe the site's authority; the receiver has no name of loopback's."""

    def context() -> ssl.SSLContext:
        made = ssl.create_default_context(cafile=str(keys / "ca.crt"))
        made.check_hostname = name
        return made

    return context


def webhook(port: int, context: Callable[[], ssl.SSLContext], path: str = "/hook?a=1") -> Webhook:
    return Webhook(f"https://127.0.0.1:{port}{path}", SECRET, context, lambda: 1767604364.9)


def test_what_is_sent_is_signed(receiver: Receiver, keys: Path) -> None:
    webhook(receiver.port, trusting(keys, name=False)).deliver("reference-incident-7-high", CONTENT)
    ((path, head, body),) = receiver.taken
    assert path == "/hook?a=1"
    assert json.loads(body) == CONTENT
    assert (head["webhook-id"], head["webhook-timestamp"]) == ("reference-incident-7-high", "1767604364")
    signed = b"reference-incident-7-high.1767604364." + body
    assert head["webhook-signature"] == "v1," + base64.b64encode(hmac.digest(SECRET, signed, hashlib.sha256)).decode()


@pytest.mark.parametrize(
    ("status", "kind"),
    [(400, NotTakenError), (422, NotTakenError), (301, RefusedError), (403, RefusedError), (503, RefusedError)],
)
def test_what_is_not_taken_is_told(receiver: Receiver, keys: Path, status: int, kind: type[Exception]) -> None:
    receiver.status = status
    with pytest.raises(SimulatorError) as caught:
        webhook(receiver.port, trusting(keys, name=False)).deliver("x", CONTENT)
    assert type(caught.value) is kind
    assert len(receiver.taken) == 1


@pytest.mark.parametrize("strange", ["name", "authority"])
def test_another_receiver_is_told_nothing(receiver: Receiver, keys: Path, strange: str) -> None:
    context = trusting(keys) if strange == "name" else ssl.create_default_context
    with pytest.raises(TlsRefusedError):
        webhook(receiver.port, context).deliver("x", CONTENT)
    assert receiver.taken == []


def test_nobody_there_is_told(keys: Path) -> None:
    with pytest.raises(UnreachableError):
        webhook(free_port(), trusting(keys)).deliver("x", CONTENT)


@pytest.mark.parametrize("url", ["http://a/", "https:///x", "https://u:p@a/", "https://a/#x", "ftp://a", ""])
def test_a_url_is_of_https(url: str) -> None:
    with pytest.raises(ArgumentError):
        Webhook(url, SECRET, ssl.create_default_context, lambda: 0.0)

"""The right person acts at each host, is signed in once, and shows no one-time password twice."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

import pytest

from lab.engine.execute import Completed
from lab.errors import UsageError
from lab.hospital import codes, signed_in
from lab.hospital.errors import CommandFailedError
from lab.hospital.hospital import Hospital
from lab.hospital.signed_in import person_for, run_as, sign_in, who_may
from tests.unit.site_builder import committed_site

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lab.engine.lab import Lab

REFERENCE, SMALL_PRACTICE = (committed_site(name) for name in ("reference", "small-practice"))
COMMAND = "pacslab-ehr"


@pytest.mark.parametrize(
    ("host", "action", "role", "person"),
    [
        ("ehr1", "register-patient", "", "r.silva"),
        ("ehr1", "place-order", "", "n.okafor"),
        ("ris1", "schedule", "", "m.haddad"),
        ("ws-rad1", "report", "radiologist", "a.rivera"),
        ("ws-tech1", "annotate", "technologist", "m.haddad"),
        ("ws-tech1", "annotate", "registrar", "a.rivera"),
    ],
)
def test_who_may_does_it(host: str, action: str, role: str, person: str) -> None:
    assert person_for(REFERENCE, host, action, role) == person


def test_a_department_does_what_is_its_own() -> None:
    assert "s.moreau" not in who_may(REFERENCE, "ws-rad1", "report")


def test_nobody_signs_in_where_there_is_no_sign_on() -> None:
    assert person_for(SMALL_PRACTICE, "ws1", "report") == ""


def test_a_site_in_which_nobody_may_is_told() -> None:
    with pytest.raises(UsageError, match="Nobody at site reference may manage-nothing at ehr1"):
        person_for(REFERENCE, "ehr1", "manage-nothing")


@dataclass
class Console:
    """A host at which people sign in; ``wrong`` codes are refused first."""

    wrong: int = 0
    role: bool = True
    signed_in: set[str] = field(default_factory=set)
    ran: list[tuple[list[str], bytes]] = field(default_factory=list)

    site = REFERENCE
    folder = None

    def run(self, _host: str, argv: Sequence[str], *, input: bytes | None = None, **_: Any) -> Completed:  # noqa: A002 # Lab.run's
        """Run a command."""
        self.ran.append((list(argv), input or b""))
        if argv[1] == "sign-in":
            if not self.role:
                return Completed(1, json.dumps({"reason": "role", "message": "no"}), "")
            if self.wrong:
                self.wrong -= 1
                return Completed(1, json.dumps({"message": "does not take this one-time password"}), "")
            self.signed_in.add(argv[2])
        elif argv[argv.index("--as") + 1] not in self.signed_in:
            return Completed(1, json.dumps({"reason": "not-signed-in", "message": "no"}), "")
        return Completed(0, "{}", "")


@pytest.fixture(autouse=True)
def factors(monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = iter("123456789")
    monkeypatch.setattr(signed_in, "personal_secret", lambda *_: "secret")
    monkeypatch.setattr(signed_in, "fresh_code", lambda *_: next(numbers))


def at(console: Console) -> Hospital:
    return Hospital(cast("Lab", console))


def test_a_person_is_signed_in_once_and_no_factor_is_an_argument() -> None:
    console = Console()
    for _ in range(2):
        assert run_as(at(console), "ehr1", [COMMAND, "cancel", "O1"], "n.okafor").code == 0
    assert [argv[1] for argv, _ in console.ran] == ["cancel", "sign-in", "cancel", "cancel"]
    assert console.ran[1] == ([COMMAND, "sign-in", "n.okafor", "--json"], b"secret\n1\n")


def test_a_code_that_was_taken_already_is_followed_by_the_next_one() -> None:
    console = Console(wrong=1)
    sign_in(at(console), "ehr1", COMMAND, "n.okafor")
    assert [typed for _, typed in console.ran] == [b"secret\n1\n", b"secret\n2\n"]


@pytest.mark.parametrize(
    ("console", "attempts"), [(Console(wrong=5), 2), (Console(role=False), 1)], ids=["code", "role"]
)
def test_who_is_not_let_in_is_told_without_trying_on_and_on(console: Console, attempts: int) -> None:
    with pytest.raises(CommandFailedError, match="was not signed in at ehr1"):
        sign_in(at(console), "ehr1", COMMAND, "n.okafor")
    assert len(console.ran) == attempts


def test_a_code_is_shown_once(monkeypatch: pytest.MonkeyPatch) -> None:
    now = iter(range(600, 700, 5))
    clock = [600.0]

    def tick() -> float:
        clock[0] = next(now)
        return clock[0]

    monkeypatch.setattr(codes, "personal_secret", lambda *_: "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")
    monkeypatch.setattr(codes.time, "time", tick)
    monkeypatch.setattr(codes, "LOOK", 0)
    lab = cast("Lab", Console())
    first = codes.fresh_code(lab, "n.okafor")
    assert clock[0] < 630
    assert codes.fresh_code(lab, "d.weiss") == first, "another's is another's"
    assert codes.fresh_code(lab, "n.okafor") != first
    assert 630 <= clock[0] < 660

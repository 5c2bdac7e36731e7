"""An administrator is let in for what the sign-on itself has signed for this very sign-in, and for nothing less."""

from __future__ import annotations

import json
from datetime import timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from lab.engine.execute import Completed
from lab.errors import UnhealthyError, UsageError
from lab.events import Bus, Warned
from lab.operate import administrators, emergency
from lab.operate.administration import Wish, open_door, ways
from lab.operate.administrators import Factors, NotLetInError, is_still_one, sign_in, sign_on_of
from lab.trust import ensure_pki
from lab.trust.envelope import PRINCIPAL, is_open, record
from lab.trust.id_token import TokenError
from tests.unit.lab.trust.test_id_token import NOW, SAID, key, keys, token
from tests.unit.site_builder import committed_site

if TYPE_CHECKING:
    from pathlib import Path

    from lab.events import Event

SITE = committed_site("reference")
(SOURCE,) = SITE.with_function("administration")
(PERSON,) = SITE.administrators
SHOWN = Factors(PERSON, "a password", "123456")
ISSUER = "https://idp1.imaging.internal"
MINUTES = timedelta(minutes=5)


class Hosts:
    """The hosts of a lab that runs: where administrators sign in, and the sign-on; a test says what they answer."""

    def __init__(self, folder: Path) -> None:
        """Answer as when somebody shows the right factors."""
        self.site, self.folder, self.name = SITE, folder, "reference"
        self.record = SimpleNamespace()
        self.claims: dict[str, Any] = {}
        self.answer: Completed | None = None
        self.asked: list[tuple[str, list[str], bytes | None]] = []
        self.owner = key()

    def run(self, host: str, argv: list[str], *, timeout: float = 60, input: bytes | None = None) -> Completed:  # noqa: A002
        """Answer."""
        del timeout
        self.asked.append((host, argv, input))
        if argv[0] == "curl":
            known = {"jwks_uri": f"{ISSUER}/oauth2/jwks"} if argv[-1].endswith("configuration") else keys(key())
            return Completed(0, json.dumps(known), "")
        if self.answer is not None:
            return self.answer
        nonce = argv[-1] if argv[1] == "prove" else ""
        said = {**SAID, "iss": ISSUER, "aud": host, "sub": PERSON, "exp": NOW * 2, "nonce": nonce, **self.claims}
        return Completed(0, json.dumps({"person": PERSON, "id_token": token(said, owner=self.owner)}), "")


@pytest.fixture
def lab(tmp_path: Path) -> Any:
    ensure_pki(SITE, tmp_path)
    return Hosts(tmp_path)


def refused(code: int, message: str) -> Completed:
    return Completed(code, json.dumps({"error": "x", "message": message, "remedy": "Do something."}), "")


def test_the_reference_sites_administrators_sign_in_and_the_small_practices_do_not() -> None:
    flow = sign_on_of(SITE, SOURCE)
    assert flow is not None
    assert flow.service == "sign-on"
    small = committed_site("small-practice")
    assert small.administrators == ()
    assert sign_on_of(small, small.with_function("administration")[0]) is None


def test_both_factors_are_typed_where_administrators_come_from_and_stand_in_no_argument(lab: Any) -> None:
    sign_in(lab, SOURCE, SHOWN)
    host, argv, typed = lab.asked[0]
    assert (host, argv[:2]) == (SOURCE, ["pacslab-administration", "prove"])
    assert typed == b"a password\n123456\n"
    assert not {"a password", "123456"} & set(argv)
    assert "a password" not in repr(SHOWN)


@pytest.mark.parametrize(
    "claims", [{"nonce": "another"}, {"aud": "web1"}, {"sub": "a.rivera"}, {"acr": "loa-2"}], ids=str
)
def test_what_the_host_hands_on_is_believed_for_this_sign_in_alone(lab: Any, claims: dict[str, Any]) -> None:
    lab.claims = claims
    with pytest.raises(TokenError):
        sign_in(lab, SOURCE, SHOWN)


def test_what_the_host_makes_up_is_not_believed(lab: Any) -> None:
    lab.owner = key(number=1)
    with pytest.raises(TokenError, match="signature"):
        sign_in(lab, SOURCE, SHOWN)


@pytest.mark.parametrize(
    ("code", "kind"), [(1, NotLetInError), (2, UsageError), (3, UnhealthyError), (5, UnhealthyError)]
)
def test_who_is_not_let_in_reads_why(lab: Any, code: int, kind: type[Exception]) -> None:
    lab.answer = refused(code, "idp1 says that the account is locked")
    with pytest.raises(kind, match=r"^idp1 says that the account is locked\.$"):
        sign_in(lab, SOURCE, SHOWN)


def test_while_the_sign_on_is_away_the_way_for_emergencies_is_named(lab: Any) -> None:
    lab.answer = Completed(3, "", "no route")
    with pytest.raises(UnhealthyError) as raised:
        sign_in(lab, SOURCE, SHOWN)
    assert "--break-glass" in raised.value.remedy


def test_who_has_the_role_by_the_directory_alone_is_told(lab: Any) -> None:
    lab.claims = {"sub": "a.rivera"}
    with pytest.raises(UsageError, match="hosts have no account"):
        sign_in(lab, SOURCE, Factors("a.rivera", "a password", "123456"))


def test_somebody_may_go_on_until_the_sign_on_says_otherwise(lab: Any) -> None:
    assert is_still_one(lab, SOURCE, PERSON) == ""
    lab.answer = refused(3, "idp1 does not answer")
    assert is_still_one(lab, SOURCE, PERSON) == ""
    lab.answer = refused(1, f"{PERSON} is not signed in.")
    assert is_still_one(lab, SOURCE, PERSON) == f"{PERSON} is not signed in."


def test_the_certificate_names_the_person_as_principal_and_the_client_comes_as_the_person(
    lab: Any, tmp_path: Path
) -> None:
    wish = Wish(PERSON, "a full disk", "", MINUTES, account=PERSON, signed_in=True)
    entry = open_door(lab, ways(SITE), wish, tmp_path / "ssh", Bus())
    assert (entry.person, entry.principals) == (PERSON, [PERSON])
    config = (tmp_path / "ssh" / "config").read_text()
    assert f"User {PERSON}\n" in config
    assert f"--stdio --signed-in {PERSON}\n" in config


def test_an_envelope_is_opened_on_record_and_told_before_it_is_used(lab: Any) -> None:
    flow = next(flow for flow in ways(SITE) if flow.target == "db1")
    wish = emergency.break_glass(lab, flow, "the sign-on does not start", MINUTES, Bus())
    pki = lab.folder / "pki"
    assert wish.principal == (pki / PRINCIPAL).read_text().strip()
    assert (wish.account, wish.signed_in) == ("emergency", False)
    assert wish.person.startswith("break-glass ")
    assert is_open(record(pki))
    assert record(pki)[-1].host == "db1"
    ((host, argv, _),) = lab.asked
    assert (host, argv[1], argv[3]) == (SOURCE, "open-envelope", "db1")


def test_an_emergency_does_not_wait_for_the_collector(lab: Any) -> None:
    told: list[Event] = []
    bus = Bus()
    bus.subscribe(told.append)
    lab.answer = Completed(3, "", "away")
    emergency.break_glass(lab, ways(SITE)[0], "the sign-on does not start", MINUTES, bus)
    assert [type(event) for event in told] == [Warned]


def test_an_envelope_is_sealed_again_with_every_host_told(lab: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[str] = []
    monkeypatch.setattr("lab.operate.certificates._run", lambda *words: ran.append(words[1]))
    monkeypatch.setattr("lab.operate.certificates.renew_bundles", lambda *_: None)
    monkeypatch.setattr("lab.operate.certificates.wait_until_healthy", lambda *_: None)
    lab.health = dict
    flow = ways(SITE)[0]
    before = emergency.break_glass(lab, flow, "x", MINUTES, Bus()).principal
    emergency.reseal(lab, SOURCE, Bus())
    pki = lab.folder / "pki"
    assert (pki / PRINCIPAL).read_text().strip() != before
    assert not is_open(record(pki))
    assert ran == ["revoke-ssh-certificate.yml"]
    assert [argv[1] for _, argv, _ in lab.asked] == ["open-envelope", "seal-envelope"]


def test_where_nobody_signs_in_there_is_nothing_to_break(tmp_path: Path) -> None:
    small = committed_site("small-practice")
    there: Any = SimpleNamespace(site=small, folder=tmp_path)
    with pytest.raises(UsageError, match="do not sign in at site"):
        emergency.break_glass(there, ways(small)[0], "x", MINUTES, Bus())
    with pytest.raises(UsageError, match="do not sign in at site"):
        administrators.require_sign_on(small, ways(small)[0].source)

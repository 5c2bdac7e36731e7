"""People of a partner come with their own sign-on, as what the description says; the trust in it is one word there."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from lab.deadline import wait_until
from lab.hospital.collected import Collected
from lab.hospital.errors import CommandFailedError
from lab.hospital.sign_on import SignOn, browse
from lab.hospital.viewer import Viewer
from tests.lab_commands import succeed

if TYPE_CHECKING:
    from lab.engine.lab import Lab

SESSION = "/gateway/session"
WITHIN = 60.0
"""Seconds after the trust was cut in which the viewer goes by it."""

pytestmark = pytest.mark.night  # codes are taken once in half a minute, and the site is configured again


def visitor(lab: Lab) -> tuple[str, str]:
    """Somebody of a partner, and the partner's name."""
    person = next(iter(lab.site.topology.visitors))
    return person, person.partition("@")[2]


def told(lab: Lab, mark: dict[str, int], **keys: Any) -> dict[str, Any] | None:
    """The event of the sign-on with these keys at the collector."""
    line = Collected(lab).wait(SignOn.of(lab).host, mark, timeout=20, program="pacslab-sign-on", **keys)
    return line["data"] if line else None


def test_somebody_of_a_partner_signs_in_at_home_with_least_rights_and_a_name_of_its_own(clone: Lab) -> None:
    viewer, (person, partner) = Viewer.of(clone), visitor(clone)
    mark = Collected(clone).mark(viewer.sign_on.host)
    opened = viewer.enter(person, SESSION)
    assert opened.asked, "home asks for a second factor"
    answer = opened.answers[0].json
    role = clone.site.topology.partners[partner].role
    assert (answer["person"], answer["roles"]) == (person, [role])
    assert set(answer["actions"].values()) == {"treatment"}
    event = told(clone, mark, action="sign-in", outcome="success", person=person)
    assert event is not None
    assert event["home"] == partner
    assert event["peer"] == viewer.sign_on.caller


def test_a_password_alone_is_asked_for_a_code_at_home_and_leads_nowhere(clone: Lab) -> None:
    sign_on, (person, _) = SignOn.of(clone), visitor(clone)
    visit = sign_on.sign_in(person, sign_on.password(person))
    assert (visit.asked, visit.signed_in) == (True, False)


def test_what_is_stated_signs_in_once(clone: Lab) -> None:
    sign_on, (person, _) = SignOn.of(clone), visitor(clone)
    home = sign_on.stated(person)
    statement = home.statement or sign_on.stated(person).statement  # another process may have shown the first code
    assert statement is not None
    assert not home.signed_in
    assert sign_on.bring(statement).signed_in
    mark = Collected(clone).mark(sign_on.host)
    assert not sign_on.bring(statement).signed_in
    assert told(clone, mark, action="sign-in", outcome="refused", reason="used-answer") is not None


def test_a_host_of_the_site_does_not_know_the_partners_ca(clone: Lab) -> None:
    sign_on, (_, partner) = SignOn.of(clone), visitor(clone)
    host = clone.site.topology.partners[partner].host
    address = f"https://{clone.site.fqdn(host)}/"
    with pytest.raises(CommandFailedError, match="CERTIFICATE_VERIFY_FAILED"):
        browse(clone, sign_on.caller, host, address, {"name": "nobody", "password": "", "code": ""})


def test_the_trust_is_cut_with_one_word_of_the_description(clone: Lab) -> None:
    viewer, (person, partner) = Viewer.of(clone), visitor(clone)
    session = viewer.enter(person, SESSION).session
    mark = Collected(clone).mark(viewer.sign_on.host)
    topology = Path(clone.record.topology)
    described = topology.read_text("utf-8")
    site = yaml.safe_load(described)
    site["partners"][partner]["trusted"] = False
    try:
        topology.write_text(yaml.safe_dump(site, sort_keys=False), "utf-8")
        succeed("up", "--lab", clone.name)
        begun = time.monotonic()
        assert wait_until(lambda: viewer.ask(session, SESSION)[0].status == 401, WITHIN, 2.0)
        assert time.monotonic() - begun < WITHIN
        assert told(clone, mark, action="confirm-session", reason="partner-cut", person=person) is not None
        assert not viewer.open(person, SESSION).session
    finally:
        topology.write_text(described, "utf-8")
        succeed("up", "--lab", clone.name)
    assert viewer.enter(person, SESSION).session

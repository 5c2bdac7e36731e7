"""The console in a real browser: each role sees what it may, reading is on record, hostile text is text, people leave.

Pictures of each page, as each role sees it at the width of a desktop and of a tablet, stay in ``.cache/console-lab``.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

import pytest

from lab.deadline import wait_until
from lab.hospital.audit_stream import new_run, stream
from lab.hospital.programs.audit_stream import message
from lab.hospital.repository import Repository
from lab.hospital.sign_on import SignOn
from lab.operate.browser import pages
from lab.settings import ROOT
from tests.browsing import ANSWERS, chromium

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import BrowserContext, Page

    from lab.engine.lab import Lab

pytestmark = pytest.mark.night

EVIDENCE = ROOT / ".cache" / "console-lab"
SIZES = {"desktop": (1440, 900), "tablet": (820, 1180)}
ANALYST, OFFICER, ADMINISTRATOR, NOBODY = (
    "security-analyst", "privacy-officer", "pacs-administrator", "referring-clinician",
)  # fmt: skip
TOLD = 7
"""Number of the message that is looked for."""
ACCESSION, PATIENT, PERSON = f"AB{TOLD:07}", f"PB{TOLD:07}", f"person{TOLD}"
HOSTILE = "<img src=x onerror=\"document.title='taken'\"><script>document.title='taken'</script>\u202egnp"
COLLECTION = {"plots": "/plots?span=hour", "collection": "/collection", "site": "/site"}
EVENTS = {"now": "/", "incidents": "/incidents", "search": f"/events?person={PERSON}", **COLLECTION}
STUDY = {"study": f"/study?key={ACCESSION}"}
MAY = {ANALYST: EVENTS, OFFICER: {**EVENTS, **STUDY}, ADMINISTRATOR: COLLECTION}
"""Pages of each role."""
STORED_WITHIN = 30.0
REFUSED = {401, 403}


@dataclass
class Reading:
    """Somebody who has signed in, in front of the console."""

    lab: Lab
    page: Page
    address: str
    person: str
    role: str
    complaints: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def open(self, path: str) -> int:
        """Go to a page; the status of the answer."""
        answer = self.page.goto(f"{self.address}{path}", timeout=ANSWERS)
        assert answer is not None
        return int(answer.status)

    def get(self, path: str) -> int:
        """Ask for something in the session, as the page's own script does; the status of the answer."""
        return int(self.page.evaluate("path => fetch(path, {redirect: 'manual'}).then(said => said.status)", path))

    def keep(self, name: str) -> None:
        """Keep a picture of the page at each width."""
        for size, (width, height) in SIZES.items():
            self.page.set_viewport_size({"width": width, "height": height})
            self.page.screenshot(path=EVIDENCE / self.role / f"{name}-{size}.png", full_page=True)
            assert self.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{name}, {size}"

    @property
    def text(self) -> str:
        """What the page shows."""
        return self.page.locator("main").inner_text()


@dataclass(frozen=True)
class Hosts:
    """Where the console is, and where it is read."""

    console: str
    workstation: str


@pytest.fixture(scope="module")
def hosts(clone: Lab) -> Hosts:
    """The site's console."""
    consoles = [name for name, host in clone.site.hosts.items() if "siem_console" in host.roles]
    if not consoles:
        pytest.skip("no host of this lab's site has the console")
    return Hosts(consoles[0], pages(clone.site, host=consoles[0]).start.source)


@pytest.fixture(scope="module", autouse=True)
def told(clone: Lab, hosts: Hosts) -> Lab:
    """A lab whose repository has messages of an examination, and one with hostile text where a person's name stands."""
    del hosts
    assert stream(clone, new_run(), 2 * TOLD).acknowledged == 2 * TOLD
    plain = message(TOLD, "2026-01-05T09:12:44+00:00").decode()
    hostile = plain.replace(f"{PERSON}@imaging.internal", escape(HOSTILE))
    assert hostile != plain
    assert stream(clone, new_run(), 1, content=hostile).acknowledged == 1
    return clone


@contextmanager
def opened(lab: Lab, hosts: Hosts, role: str) -> Iterator[Reading]:
    """The first person of a role in front of a browser of their own, who has not signed in."""
    person = next(name for name, who in lab.site.topology.people.items() if role in who.roles)
    words = (person, "--host", hosts.console, "--as", hosts.workstation)
    with chromium(lab, *words, evidence=EVIDENCE / role) as (context, address):
        found = Reading(lab, context.pages[0], address.rstrip("/"), person, role)
        _watch(context, found)
        yield found


@contextmanager
def reading(lab: Lab, hosts: Hosts, role: str) -> Iterator[Reading]:
    """The first person of a role, signed in at the console."""
    with opened(lab, hosts, role) as found:
        sign_in(found, found.page, SignOn.of(lab))
        found.page.wait_for_url(f"{found.address}/**", timeout=ANSWERS)
        yield found


def sign_in(found: Reading, page: Page, sign_on: SignOn) -> None:
    """Open the first page, which leads to the sign-on, and sign in with a one-time password that was not used yet."""
    page.goto(f"{found.address}/", timeout=ANSWERS)
    sign_on.fill_in(page, found.person)


def _watch(context: BrowserContext, found: Reading) -> None:
    context.on("request", lambda request: found.asked.append(request.url))
    context.on(
        "console",
        lambda said: found.complaints.append(said.text) if "Content Security Policy" in said.text else None,
    )
    context.on("weberror", lambda error: found.complaints.append(str(error.error)))


@pytest.mark.parametrize("role", MAY)
def test_each_role_sees_its_pages_and_no_other(told: Lab, hosts: Hosts, role: str) -> None:
    with reading(told, hosts, role) as found:
        for name, path in {**EVENTS, **STUDY}.items():
            status = found.open(path)
            found.keep(name)
            if name in MAY[role]:
                assert status == 200, f"{role}: {name}"
            elif name == "now":  # who sees no event begins with how they arrive
                assert urlsplit(found.page.url).path == "/collection"
            else:
                assert status in REFUSED, f"{role}: {name}"
        own = {urlsplit(address).hostname for address in found.asked if address.startswith("http")}
        assert own <= {told.site.fqdn(name) for name in (hosts.console, SignOn.of(told).host)}
        assert found.complaints == []


def test_patients_are_seen_by_the_privacy_officer_alone(told: Lab, hosts: Hosts) -> None:
    seen = {}
    for role in (OFFICER, ANALYST, ADMINISTRATOR):
        with reading(told, hosts, role) as found:
            found.open(f"/events?person={PERSON}")
            seen[role] = {"patient": PATIENT in found.page.content(), "person": PERSON in found.text}
            seen[role]["fhir"] = found.get(f"/fhir/AuditEvent?date=ge2026-01-01&patient.identifier={PATIENT}") == 200
            seen[role]["by patient"] = found.get(f"/events?patient={PATIENT}") == 200
    assert seen == {
        OFFICER: {"patient": True, "person": True, "fhir": True, "by patient": True},
        ANALYST: {"patient": False, "person": True, "fhir": False, "by patient": False},
        ADMINISTRATOR: {"patient": False, "person": False, "fhir": False, "by patient": False},
    }


def test_who_saw_a_study_is_shown_and_the_reading_is_on_record(told: Lab, hosts: Hosts) -> None:
    repository = Repository(told)
    with reading(told, hosts, OFFICER) as found:
        found.open(f"/study?key={ACCESSION}")
        assert PERSON in found.text
        assert found.page.locator("svg.plot .dot").count() > 0

        def on_record() -> list[dict[str, Any]]:
            told_ = [entry.fields for entry in repository.show(person=found.person)]
            return [entry for entry in told_ if entry.get("event.action") == "read-audit"]

        assert wait_until(lambda: any(entry.get("dicom.accession") == ACCESSION for entry in on_record()), 60, 1), (
            on_record()
        )


def test_a_refused_reading_is_on_record(told: Lab, hosts: Hosts) -> None:
    repository = Repository(told)
    with reading(told, hosts, ADMINISTRATOR) as found:
        assert found.open(f"/study?key={ACCESSION}") in REFUSED
        assert PERSON not in found.page.content()

        def refused() -> bool:
            said = [entry.fields for entry in repository.show(person=found.person)]
            return any(
                entry.get("event.action") == "read-audit" and entry.get("event.outcome") == "failure" for entry in said
            )

        assert wait_until(refused, 60, 1)


def test_who_has_no_role_there_does_not_come_in_and_that_is_on_record(told: Lab, hosts: Hosts) -> None:
    repository, sign_on = Repository(told), SignOn.of(told)
    with opened(told, hosts, NOBODY) as found:
        sign_in(found, found.page, sign_on)

        def refused() -> bool:
            said = [entry.fields for entry in repository.show(person=found.person, host=sign_on.host)]
            return any(entry.get("event.outcome") == "failure" for entry in said)

        assert wait_until(refused, STORED_WITHIN, 1)
        found.page.screenshot(path=EVIDENCE / NOBODY / "refused.png")
        found.page.goto(f"{found.address}/collection", timeout=ANSWERS)
        assert urlsplit(found.page.url).hostname == told.site.fqdn(sign_on.host)


def test_hostile_text_is_text(told: Lab, hosts: Hosts) -> None:
    with reading(told, hosts, ANALYST) as found:
        found.open(f"/events?{urlencode({'person': HOSTILE})}")
        assert "<script>document.title='taken'</script>\\u202egnp" in found.text
        assert found.page.locator("main img, main script").count() == 0
        assert found.page.title() != "taken"
        found.page.get_by_role("row", name=re.compile("document.title")).get_by_role("link").first.click()
        found.page.get_by_role("heading", level=1, name=re.compile("Event")).wait_for(timeout=ANSWERS)
        found.keep("event")
        assert found.page.title() != "taken"
        assert found.complaints == []


def test_an_incident_is_acknowledged_by_the_analyst_with_a_note(told: Lab, hosts: Hosts) -> None:
    repository = Repository(told)
    stream(told, new_run(), 1, alarming=True)
    assert wait_until(lambda: bool(repository.lines("incidents")), STORED_WITHIN, 1)
    with reading(told, hosts, ANALYST) as found:
        found.open("/incidents")
        rows = found.page.get_by_role("table").first.get_by_role("row").filter(has_text="open")
        rows.get_by_role("link").first.click()
        found.page.locator("textarea").first.wait_for(timeout=ANSWERS)
        found.keep("incident")
        found.page.locator("textarea").first.fill("Looked at.")
        found.page.get_by_role("button", name=re.compile("Acknowledge")).click()
        found.page.get_by_text("Looked at.").first.wait_for(timeout=ANSWERS)
        assert found.person in found.text


def test_who_signs_out_is_out(told: Lab, hosts: Hosts) -> None:
    with reading(told, hosts, OFFICER) as found:
        found.page.get_by_role("link", name="Sign out").click()
        found.page.get_by_role("heading", name="You are signed out").wait_for(timeout=ANSWERS)
        found.page.screenshot(path=EVIDENCE / OFFICER / "signed-out.png")
        assert found.get("/live/events?after=x") == 401
        found.page.go_back()
        assert ACCESSION not in found.page.content()
        answer = found.page.goto(f"{found.address}/", timeout=ANSWERS)
        assert answer is not None
        assert urlsplit(found.page.url).hostname == told.site.fqdn(SignOn.of(told).host)

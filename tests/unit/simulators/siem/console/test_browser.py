"""The console in a real browser: it keeps to its policy, follows what comes, and is used with the keyboard alone.

Pictures of the pages stay in ``.cache/console``, at the width of a desktop and of a tablet.
"""

from __future__ import annotations

import os
import re
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from tests.unit.simulators.siem.console.served import served
from tests.unit.simulators.siem.console.stored import ACCESSION, ALERT, course, told
from tests.unit.simulators.siem.repository import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

    from tests.unit.simulators.siem.console.served import Served
    from tests.unit.simulators.siem.console.stored import Stored

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
CHROMIUM = next((path for name in BROWSERS if (path := shutil.which(name))), None)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium: run 'lab/setup.sh simulators,test browser'")

EVIDENCE = ROOT / ".cache" / "console"
SIZES = {"desktop": (1440, 900), "tablet": (820, 1180)}
PAGES = {
    "now": "/", "incidents": "/incidents", "search": "/events?host=web1", "study": f"/study?key={ACCESSION}",
    "plots": "/plots?span=hour", "collection": "/collection", "site": "/site",
}  # fmt: skip
HOSTILE = "<img src=x onerror=\"document.title='taken'\"><script>document.title='taken'</script>\u202egnp"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as started:
        root = ["--no-sandbox"] if os.geteuid() == 0 else []
        found = started.chromium.launch(executable_path=CHROMIUM, args=root)
        yield found
        found.close()


@pytest.fixture
def console(stored: Stored) -> Iterator[Served]:
    """The console with an examination, an alert, and hostile text."""
    for host, ago, fields in course():
        stored.event(fields, host=host, ago=ago)
    at = stored.event(told("query", user__name=HOSTILE, event__reason=HOSTILE), host="ris1", ago=200)
    stored.alert(ALERT, 8, host="web1", ago=590)
    stored.alert(
        {"title": HOSTILE, "subject": {"user.name": HOSTILE}}, at, rule="hostile", level="medium", host="ris1", ago=190
    )
    stored.alert({"message": "12 messages have not come"}, at, rule="repository.miss", level="high", host="ct1", ago=90)
    stored.sent("ct1", 70, missing=(4, 9))
    stored.sent("web1", 1200)
    with served(stored.target) as console:
        yield console


class Complaints:
    """What a browser says is wrong with pages: their policy broken, scripts that fail, what was asked of others."""

    def __init__(self, page: Page, console: Served) -> None:
        """Listen from now on."""
        self.told: list[str] = []
        page.on(
            "console", lambda message: self.told.append(message.text) if message.type in {"error", "warning"} else None
        )
        page.on("pageerror", lambda error: self.told.append(str(error)))
        page.on(
            "request",
            lambda request: None if request.url.startswith(console.address) else self.told.append(request.url),
        )


@pytest.fixture
def page(browser: Browser, console: Served) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    complaints = Complaints(page, console)
    yield page
    context.close()
    assert complaints.told == []


def _problems(page: Page) -> list[str]:
    """What keeps people who do not see or do not point from using a page."""
    found: list[str] = page.evaluate(
        """() => {
          const wrong = [];
          const named = (element) =>
            element.labels?.length || element.getAttribute('aria-label') || element.textContent.trim();
          const used = 'input:not([type=hidden]), textarea, button, a[href], select';
          for (const element of document.querySelectorAll(used)) {
            if (named(element) || element.closest('svg')) { continue; }
            wrong.push('no name: ' + element.outerHTML.slice(0, 80));
          }
          for (const table of document.querySelectorAll('table')) {
            if (!table.caption) { wrong.push('a table without caption'); }
            if (!table.querySelector('th[scope]')) { wrong.push('a table without heads'); }
          }
          for (const picture of document.querySelectorAll('svg:not([aria-hidden])')) {
            if (!picture.querySelector('title')) { wrong.push('a picture without title'); }
          }
          const heads = [...document.querySelectorAll('h1, h2, h3')].map((head) => Number(head.tagName[1]));
          if (heads.filter((level) => level === 1).length !== 1) { wrong.push('not one h1'); }
          if (heads.some((level, place) => place && level > heads[place - 1] + 1)) { wrong.push('a head is left out'); }
          const ids = [...document.querySelectorAll('[id]')].map((element) => element.id);
          if (new Set(ids).size !== ids.length) { wrong.push('an id twice'); }
          if (!document.documentElement.lang) { wrong.push('no language'); }
          if (document.documentElement.scrollWidth > innerWidth) { wrong.push('wider than the window'); }
          return wrong;
        }"""
    )
    return found


def _contrasts(page: Page) -> list[str]:
    """Texts whose contrast with what is behind is less than 4.5 (WCAG 2.2, 1.4.3)."""
    found: list[str] = page.evaluate(
        """() => {
          const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
          const light = (colour) => {
            canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
            const [red, green, blue, alpha] = canvas.getImageData(0, 0, 1, 1).data;
            if (alpha < 255) { return null; }
            const part = (value) => (value /= 255) <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
            return 0.2126 * part(red) + 0.7152 * part(green) + 0.0722 * part(blue);
          };
          const wrong = [];
          for (const element of document.querySelectorAll('main *, header *')) {
            const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
            if (!own || element.closest('svg') || !element.offsetParent) { continue; }
            let behind = element, ground = null;
            for (; behind && ground === null; behind = behind.parentElement) {
              ground = light(getComputedStyle(behind).backgroundColor);
            }
            const text = light(getComputedStyle(element).color);
            const ratio = (Math.max(text, ground ?? 1) + 0.05) / (Math.min(text, ground ?? 1) + 0.05);
            if (ratio < 4.5) { wrong.push(`${ratio.toFixed(1)}: ${element.textContent.trim().slice(0, 40)}`); }
          }
          return wrong;
        }"""
    )
    return found


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_every_page_is_whole_keeps_to_its_policy_and_can_be_used_by_everybody(
    page: Page, console: Served, size: str, scheme: Any
) -> None:
    EVIDENCE.mkdir(parents=True, exist_ok=True)
    width, height = SIZES[size]
    page.set_viewport_size({"width": width, "height": height})
    page.emulate_media(color_scheme=scheme)
    for name, path in PAGES.items():
        page.goto(f"{console.address}{path}")
        page.screenshot(path=EVIDENCE / f"{name}-{size}-{scheme}.png", full_page=True)
        assert _problems(page) == [], name
        assert _contrasts(page) == [], name
        assert page.title() != "taken"


def test_hostile_text_does_nothing_and_is_seen_as_it_is(page: Page, console: Served) -> None:
    page.goto(console.address)
    assert page.locator("#content img, #content script").count() == 0
    assert "\\u202egnp" in page.locator("main").inner_text()
    page.goto(f"{console.address}/incidents")
    page.get_by_role("row", name=re.compile("document.title")).get_by_role("link").click()
    page.get_by_role("heading", name=re.compile("document.title")).wait_for()
    assert page.title() != "taken"


def test_what_comes_appears_by_itself_and_can_be_paused(page: Page, console: Served, stored: Stored) -> None:
    page.goto(console.address)
    region = page.get_by_role("region", name="Newest events")
    rows = region.locator("tbody tr")
    before = rows.count()
    stored.event(told("query", user__name="z.new"), host="ct1", ago=0)
    region.get_by_role("cell", name="z.new").wait_for(timeout=10_000)
    assert rows.count() == before + 1
    assert page.locator("#events-status").inner_text() in {"1 new.", "Following."}
    page.locator("#events-pause").click()
    assert page.locator("#events-pause").inner_text() == "Follow"
    stored.event(told("query", user__name="z.later"), host="ct1", ago=0)
    page.wait_for_timeout(3000)  # longer than it takes to ask again
    assert region.get_by_role("cell", name="z.later").count() == 0
    page.locator("#events-pause").click()
    region.get_by_role("cell", name="z.later").wait_for(timeout=10_000)


def test_nobody_there_means_that_nothing_is_asked_any_more(page: Page, console: Served) -> None:
    page.clock.install()
    page.goto(console.address)
    page.clock.fast_forward(15 * 60 * 1000)
    page.get_by_text("nobody has done anything").first.wait_for(timeout=10_000)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.clock.fast_forward(60 * 1000)
    assert asked == []


def test_an_incident_is_closed_with_the_keyboard_alone(page: Page, console: Served) -> None:
    console.as_person("k.osei")
    page.goto(console.address)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    _tab_to(page, "Incidents")
    page.keyboard.press("Enter")
    page.wait_for_url("**/incidents")
    row = page.get_by_role("row", name=str(ALERT["title"]))
    _tab_to(page, row.get_by_role("link").inner_text())
    page.keyboard.press("Enter")
    page.wait_for_url("**/incidents/*")
    _tab_to(page, "", tag="TEXTAREA")
    page.keyboard.type("I asked her: she treats the patient.")
    _tab_to(page, "Close the incident")
    page.keyboard.press("Enter")
    page.locator(".word.closed").wait_for()
    assert "she treats the patient" in page.locator("main").inner_text()


def _tab_to(page: Page, text: str, tag: str = "") -> None:
    for _ in range(80):
        page.keyboard.press("Tab")
        found = page.evaluate("[document.activeElement.tagName, document.activeElement.textContent.trim()]")
        if (tag and found[0] == tag) or (not tag and found[1] == text):
            outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
            assert outline != "none", "where the keyboard is cannot be seen"
            return
    raise AssertionError(f"{text or tag} cannot be reached with the keyboard")

"""A radiologist reads in a real browser: signs in, scrolls to anatomy, measures, compares with a prior, and leaves.

What is drawn is judged by its pixels. Pictures of each page stay in ``.cache/viewer``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from lab.deadline import wait_until
from lab.hospital.archive import Archive
from lab.hospital.hospital import Hospital
from lab.hospital.modality import Modality
from lab.hospital.record import Record
from lab.hospital.ris import Ris
from lab.scenarios.examination.course import CT_HEAD, scheduled
from tests.browsing import ANSWERS, Browser, browser
from tests.rendering import ALIKE, grey, likeness, scale, slice_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Locator

    from lab.engine.lab import Lab
    from lab.hospital.record import Procedure
    from lab.scenarios.examination.course import Examination
    from tests.rendering import Slice

pytestmark = pytest.mark.night

RADIOLOGIST = "a.rivera"
EARLIER = replace(CT_HEAD, text="CT head before treatment")
IMAGES = 6
WINDOW = {"width": 400.0, "level": 40.0}
"""Of a head, as the viewer shows it first (W and L on the image)."""
DRAWN_WITHIN = 30.0
KEPT_WITHIN = 60.0
"""Seconds in which an image is drawn, and in which the long-term archive has what the PACS has."""
PANE = "[data-cy=viewport-pane]"
PAPER = 0.2
"""Least part of a document's place that is white."""
KINDS = {"CT", "DOC", "XC"}
"""Modalities of an examination's objects."""


@dataclass(frozen=True)
class Reading:
    """A radiologist in front of a new examination, with an earlier one that the long-term archive alone has."""

    lab: Lab
    browser: Browser
    current: Examination
    prior: Examination
    long_term: str

    @property
    def page(self) -> Any:
        """The page in front of the radiologist."""
        return self.browser.page

    def pane(self, number: int) -> Locator:
        """One of the places for images, counted from 0."""
        found: Locator = self.page.locator(PANE).nth(number)
        return found

    def scroll_to_anatomy(self, number: int, examination: Examination, host: str) -> Slice:
        """Turn the wheel over a place until its image is one with something to see; what it should look like."""
        self.pane(number).hover()
        for _ in range(IMAGES):
            told = self._position(number)
            image = slice_of(self.lab, host, examination.study, int(told.partition("(")[0]), **WINDOW)
            if image.is_anatomy:
                return image
            self.page.mouse.wheel(0, 120)
            assert self._has_left(number, told), "it does not scroll"
        raise AssertionError(f"no image of {examination.accession} shows anything")

    def _has_left(self, number: int, position: str) -> bool:
        return wait_until(lambda: self._position(number) != position, DRAWN_WITHIN, 0.1)

    def _position(self, number: int) -> str:
        """Instance Number and place in the series as the place tells them: ``6(7/12)``."""
        told = (
            self.pane(number).locator("[data-cy=viewport-overlay-bottom-right]").get_by_text(re.compile(r"\(\d+/\d+\)"))
        )
        return re.sub(r"[^0-9(/)]", "", told.first.inner_text(timeout=ANSWERS))

    def drawing(self, number: int) -> bytes:
        """What is drawn in a place."""
        drawn: bytes = self.pane(number).locator("canvas").screenshot()
        return drawn

    def likeness(self, number: int, image: Slice) -> float:
        """How like an image a place becomes."""
        seen = [0.0]

        def alike() -> bool:
            seen.append(likeness(self.drawing(number), image))
            return seen[-1] >= ALIKE

        wait_until(alike, DRAWN_WITHIN, 0.5)
        return seen[-1]

    def is_left(self, name: str) -> None:
        """Nothing of the viewer is seen or to be had any more: the page asks whoever comes to sign in."""
        self.page.get_by_role("button", name="Sign in").wait_for(timeout=ANSWERS)
        self.browser.keep(name)
        assert self.page.locator("canvas").count() == 0
        assert "Browser" not in self.page.locator("body").inner_text()
        tab = self.page.context.new_page()
        for path in ("/gateway/session", "/dicom-web/studies"):
            assert tab.goto(f"{self.browser.viewer.address}{path}").status == 401
        tab.close()

    def limits(self) -> dict[str, float]:
        """The times of a session that the page goes by, in seconds."""
        told: dict[str, float] = self.page.evaluate("window.pacslabSession")
        return told

    def troubles(self) -> list[str]:
        """What stands in the way of the images: notices, error dialogs, a guided tour."""
        shown = self.page.locator(
            "#pacslab-notice:visible, .shepherd-element:visible, [data-sonner-toast][data-type=error]"
        )
        return [*shown.all_inner_texts(), *self.page.get_by_text("Something went wrong").all_inner_texts()]


def examined(hospital: Hospital, patient: str, procedure: Procedure) -> Examination:
    """An examination, with a photograph and its requisition."""
    placed = Record.of(hospital).order(patient, procedure)
    assert placed.accession is not None
    found = scheduled(hospital, Ris.of(hospital).show(placed.accession).procedure)
    station = Modality(hospital, found.station)
    station.perform("acquire", found.accession, "--images", str(IMAGES), "--matrix", "256")
    for verb in ("import-jpeg", "import-pdf"):
        station.perform(verb, found.accession, "--sample")
    return found


def long_term_archive(lab: Lab, archive: str) -> str:
    """Where an archive sends what is kept for long."""
    (found,) = {
        flow.target for flow in lab.site.flows
        if flow.source == archive and flow.service == "dicom-tls"
        and "long-term-archive" in lab.site.hosts[flow.target].functions
    }  # fmt: skip
    return found


@pytest.fixture(scope="module")
def reading(clone: Lab) -> Iterator[Reading]:
    """The radiologist, signed in, with the study list in front."""
    hospital = Hospital(clone)
    patient = Record.of(hospital).register("Browser", "Head").patient.identifier
    prior, current = examined(hospital, patient, EARLIER), examined(hospital, patient, CT_HEAD)
    long_term = long_term_archive(clone, prior.archive)
    kept = Archive(clone, long_term)

    def are_kept() -> bool:
        found = [{held.tag("Modality") for held in kept.instances(study)} for study in (prior.study, current.study)]
        return found == [KINDS, KINDS]

    assert wait_until(are_kept, KEPT_WITHIN, 1), f"{long_term} does not have both examinations"
    Archive(clone, prior.archive).remove_studies(StudyInstanceUID=prior.study)
    with browser(clone, RADIOLOGIST) as opened:
        opened.keep("sign-in")
        opened.sign_in(RADIOLOGIST)
        yield Reading(clone, opened, current, prior, long_term)


def test_the_study_list_has_the_new_examination_and_the_prior(reading: Reading) -> None:
    for examination in (reading.current, reading.prior):
        reading.page.get_by_text(examination.accession).first.wait_for(timeout=ANSWERS)
    reading.browser.keep("study-list")


def test_the_examination_opens_with_anatomy_and_nothing_in_its_way(reading: Reading) -> None:
    reading.page.get_by_text(reading.current.accession).first.dblclick()
    image = reading.scroll_to_anatomy(0, reading.current, reading.current.archive)
    seen = reading.likeness(0, image)
    reading.browser.keep("anatomy")
    assert seen >= ALIKE
    assert reading.troubles() == []


def test_a_distance_is_measured_in_millimetres_of_the_patient(reading: Reading) -> None:
    image = reading.scroll_to_anatomy(0, reading.current, reading.current.archive)
    box = reading.pane(0).locator("canvas").bounding_box()
    assert box is not None, "the pane has no canvas"
    middle, half = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2), 60.0
    wanted = pytest.approx(2 * half / scale(reading.drawing(0), image) * image.spacing, rel=0.02)
    reading.page.locator("[data-cy=MeasurementTools-split-button-primary]").click()
    reading.page.mouse.click(middle[0] - half, middle[1])
    reading.page.mouse.move(middle[0] + half, middle[1], steps=5)
    reading.page.mouse.click(middle[0] + half, middle[1])
    label = reading.pane(0).locator("svg text", has_text=re.compile(r"^[0-9.]+ mm$")).first

    def told() -> float:
        return float((label.text_content(timeout=ANSWERS) or "").removesuffix(" mm"))

    wait_until(lambda: told() == wanted, DRAWN_WITHIN, 0.5)
    reading.browser.keep("measured")
    assert told() == wanted


def test_a_document_of_the_examination_is_shown(reading: Reading) -> None:
    reading.page.get_by_text("REQUISITION").first.dblclick()
    reading.pane(0).locator("object[data^='blob:']").wait_for(timeout=ANSWERS)

    def paper() -> float:
        """How much of the place is as white as paper."""
        return float((grey(reading.pane(0).screenshot()) > 0.99).mean())

    wait_until(lambda: paper() > PAPER, DRAWN_WITHIN, 0.5)
    reading.browser.keep("document")
    assert paper() > PAPER


def test_the_prior_of_the_long_term_archive_stands_beside_the_examination(reading: Reading) -> None:
    page = reading.page
    page.goto(f"{reading.browser.viewer.address}/viewer?StudyInstanceUIDs={reading.current.study}")
    current = reading.scroll_to_anatomy(0, reading.current, reading.current.archive)
    page.locator("[data-cy=Layout]").click()
    page.locator("[data-cy=Layout-1-0]").click()
    studies = page.locator("[data-cy=studyBrowser-panel]")
    images = studies.locator("[data-cy=study-browser-thumbnail]", has_text="CT HEAD AXIAL")
    assert images.count() == 1
    studies.get_by_text(EARLIER.text).click()
    assert wait_until(lambda: images.count() > 1, DRAWN_WITHIN, 0.5)
    reading.pane(1).click()
    images.last.dblclick()
    prior = reading.scroll_to_anatomy(1, reading.prior, reading.long_term)
    seen = [reading.likeness(0, current), reading.likeness(1, prior)]
    reading.browser.keep("prior-beside")
    assert min(seen) >= ALIKE, seen
    assert reading.troubles() == []


def test_no_other_address_is_asked_and_the_page_keeps_to_its_policy(reading: Reading) -> None:
    viewer, asked = reading.browser.viewer, reading.browser.asked
    assert any("/frames/" in address for address in asked)
    names = {urlsplit(address).hostname for address in asked}
    assert names == {reading.lab.site.fqdn(host) for host in (viewer.host, viewer.sign_on.host)}
    assert reading.browser.complaints == []


def test_a_place_without_an_image_is_seen_to_be_black(reading: Reading) -> None:
    image = slice_of(reading.lab, reading.current.archive, reading.current.study, IMAGES // 2, **WINDOW)
    page = reading.page
    page.route("**/frames/*", lambda route: route.fulfill(status=403, json={"message": "refused", "remedy": "-"}))
    page.reload()
    page.locator("#pacslab-notice:visible").wait_for(timeout=ANSWERS)
    assert reading.troubles()
    assert likeness(reading.drawing(0), image) < ALIKE
    reading.browser.keep("frames-refused")
    page.unroute("**/frames/*")


def test_a_locked_page_shows_nothing_and_goes_on_where_it_was(reading: Reading) -> None:
    page = reading.page
    page.locator("#pacslab-lock").click()
    page.get_by_text("The page is locked").wait_for(timeout=ANSWERS)
    reading.browser.keep("locked")
    assert page.url == f"{reading.browser.viewer.address}/signed-out"
    page.go_back()
    reading.is_left("locked-back")
    reading.browser.sign_in(RADIOLOGIST)
    page.wait_for_url(f"**/viewer?StudyInstanceUIDs={reading.current.study}", timeout=ANSWERS)
    reading.scroll_to_anatomy(0, reading.current, reading.current.archive)


def test_who_does_nothing_is_warned_and_signed_out(reading: Reading) -> None:
    page, limits = reading.page, reading.limits()
    page.clock.install()
    page.reload()
    page.locator("#pacslab-person").wait_for(timeout=ANSWERS)
    warning = page.locator("#pacslab-warning")
    page.clock.fast_forward((limits["idle"] - limits["warn"] / 2) * 1000)
    warning.wait_for(timeout=ANSWERS)
    reading.browser.keep("idle-warning")
    page.get_by_role("button", name="Stay signed in").click()
    warning.wait_for(state="hidden", timeout=ANSWERS)
    page.clock.fast_forward(limits["idle"] * 1000)
    page.get_by_text("Nobody had done anything").wait_for(timeout=ANSWERS)
    reading.browser.keep("idle-signed-out")


def test_after_signing_out_the_back_button_shows_nothing(reading: Reading) -> None:
    page = reading.page
    page.goto(f"{reading.browser.viewer.address}/viewer?StudyInstanceUIDs={reading.current.study}")
    reading.browser.sign_in(RADIOLOGIST)
    reading.scroll_to_anatomy(0, reading.current, reading.current.archive)
    page.locator("#pacslab-sign-out").click()
    page.get_by_text("Your session here and in every other application has ended").wait_for(timeout=ANSWERS)
    reading.browser.keep("signed-out")
    page.go_back()
    reading.is_left("signed-out-back")

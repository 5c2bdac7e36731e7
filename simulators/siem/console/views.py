"""What each page shows: asks for it as far as the person may see it, tells that it was read, and makes the page."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse

from simulators.errors import ArgumentError, NotFoundError
from simulators.siem.console import audit_event, plot, retrieve
from simulators.siem.console.queries import alerts, collection, counts, events, incidents, study
from simulators.siem.console.queries.place import Place, Window
from simulators.siem.incidents.model import Choice

if TYPE_CHECKING:
    from starlette.responses import Response

    from simulators.siem.console.forms import Forms
    from simulators.siem.console.pages import Pages
    from simulators.siem.console.queries.alerts import Alert
    from simulators.siem.console.readings import Readings
    from simulators.siem.console.site import Site
    from simulators.siem.console.store import Store
    from simulators.siem.console.visit import Visit

DAY, SEARCHED = timedelta(days=1), timedelta(days=30)
"""How far back the newest are looked for, and what is searched where no time is given."""
FIELDS = {
    "patient": "Patient identifier",
    "accession": "Accession number",
    "study": "Study Instance UID",
    "person": "Person or account",
    "host": "Host that told it",
}
FIRST_ALERTS = 12
"""Alerts that stand before the newest events."""
MOST_EVIDENCE = 20
"""Events of an alert that are led to."""


class Views:
    """Makes the pages."""

    def __init__(self, store: Store, site: Site, pages: Pages, forms: Forms, readings: Readings) -> None:
        """Show what is in a store, of a site."""
        self._store, self._site, self._pages, self._forms, self._readings = store, site, pages, forms, readings

    def now(self, visit: Visit) -> Response:
        """The newest alerts and events, which the page follows."""
        if not visit.clearance.events:
            return RedirectResponse("/collection", 303)
        window = Window.last(DAY)
        with self._store.reading() as connection:
            page = events.find(connection, visit.clearance, {}, window)
            found = alerts.newest(connection, visit.clearance, window, limit=FIRST_ALERTS)
            standing = incidents.recent(connection, visit.clearance).standing()
        self._readings.tell(visit.subject, "now")
        here = Place(datetime.now(UTC), 0)
        return self._page(
            visit, "now", "Now", events=page.events, alerts=found, standing=standing,
            events_place=page.events[0].place if page.events else here, alerts_place=found[0].place if found else here,
        )  # fmt: skip

    def live_events(self, visit: Visit) -> Response:
        """Rows of events after a place."""
        after = _given(Place.of(visit.asked("after")))
        with self._store.reading() as connection:
            found = events.newer(connection, visit.clearance, after)
        self._readings.tell(visit.subject, "now")
        return self._rows(visit, "live_events", str(found[0].place if found else after), events=found)

    def live_alerts(self, visit: Visit) -> Response:
        """Rows of alerts after a place."""
        after = _given(Place.of(visit.asked("after")))
        with self._store.reading() as connection:
            found = alerts.newer(connection, visit.clearance, after)
        self._readings.tell(visit.subject, "now")
        return self._rows(visit, "live_alerts", str(found[0].place if found else after), alerts=found)

    def search(self, visit: Visit) -> Response:
        """Events with all that is asked for."""
        visit.clearance.needs("events")
        wanted = {name: value for name in FIELDS if (value := visit.asked(name))}
        window, before = _window(visit), Place.of(visit.asked("before"))
        with self._store.reading() as connection:
            page = events.find(connection, visit.clearance, wanted, window, before)
        self._readings.tell(visit.subject, "search", _named(wanted))
        times = {name: value for name in ("since", "until") if (value := visit.asked(name))}
        address = "/events?" + urlencode(wanted | times)
        return self._page(
            visit, "events", "Search", page=page, wanted=wanted,
            since=times.get("since", ""), until=times.get("until", ""),
            fields=[
                (name, label) for name, label in FIELDS.items()
                if visit.clearance.patients or name not in events.OF_PATIENTS
            ],
            newest=address if before else "",
            older=f"{address}&before={page.older}" if page.older else "",
        )  # fmt: skip

    def audit_events(self, visit: Visit) -> Response:
        """Events with all that is asked for, as FHIR (IHE ITI-81): for who reads what tells of patients, too."""
        visit.clearance.needs("events", "patients")
        wanted, window = retrieve.wanted_by(visit), retrieve.window_of(visit)
        before, count = retrieve.page_of(visit)
        with self._store.reading() as connection:
            page = events.find(connection, visit.clearance, wanted, window, before, count=count)
        self._readings.tell(visit.subject, "fhir", _named(wanted))
        base = f"{self._site.origin}{visit.request.url.path}"
        asked = [(name, value) for name, value in visit.request.query_params.multi_items() if name != "_page"]
        own = f"{base}?{urlencode(visit.request.query_params.multi_items())}"
        older = f"{base}?{urlencode([*asked, ('_page', str(page.older))])}" if page.older else ""
        return JSONResponse(audit_event.bundle(page, own, older), media_type=audit_event.CONTENT_TYPE)

    def audit_event(self, visit: Visit) -> Response:
        """One event as FHIR."""
        visit.clearance.needs("events", "patients")
        with self._store.reading() as connection:
            found = events.one(connection, visit.clearance, visit.request.path_params["position"])
        if found is None:
            raise NotFoundError("There is no such event.", remedy="Search for it.")
        about = {"patient": found.get("patient.id"), "study": found.get("dicom.study_uid")}
        self._readings.tell(visit.subject, f"event-{found.place.position}", _named(about))
        return JSONResponse(audit_event.resource(found), media_type=audit_event.CONTENT_TYPE)

    def event(self, visit: Visit) -> Response:
        """An event with all its fields."""
        with self._store.reading() as connection:
            found = events.one(connection, visit.clearance, visit.request.path_params["position"])
        if found is None:
            raise NotFoundError("There is no such event.", remedy="Search for it.")
        about = {"patient": found.get("patient.id"), "study": found.get("dicom.study_uid")}
        about["accession"] = found.get("dicom.accession")
        self._readings.tell(visit.subject, f"event-{found.place.position}", _named(about))
        return self._page(visit, "event", f"Event {found.place.position}", event=found)

    def who_saw(self, visit: Visit) -> Response:
        """A study's history across systems."""
        visit.clearance.needs("patients")
        key = visit.asked("key")
        history, lanes = None, None
        if key:
            with self._store.reading() as connection:
                history = study.history(connection, visit.clearance, _window(visit), key)
            lanes = plot.lanes(history.events)
            about = {"accession": _only(history.accessions) or key, "study": _only(history.studies)}
            self._readings.tell(visit.subject, "study", _named(about | {"patient": _only(history.patients)}))
        return self._page(
            visit, "study", "Who saw a study", key=key, since=visit.asked("since"), until=visit.asked("until"),
            history=history, lanes=lanes, people=history.people() if history else [],
        )  # fmt: skip

    def incidents(self, visit: Visit) -> Response:
        """Incidents that are open, and those that were closed."""
        with self._store.reading() as connection:
            found = incidents.recent(connection, visit.clearance)
        self._readings.tell(visit.subject, "incidents")
        return self._page(visit, "incidents", "Incidents", found=found, closed=found.closed()[:100])

    def incident(self, visit: Visit) -> Response:
        """An incident with its alerts, and what was said of it."""
        number = visit.request.path_params["number"]
        with self._store.reading() as connection:
            found = incidents.case(connection, visit.clearance, number)
        patients = {patient for alert in found.alerts if (patient := alert.subject.get("patient.id"))}
        self._readings.tell(visit.subject, f"incident-{number}", {"patient": _only(sorted(patients))})
        return self._page(
            visit, "incident", f"Incident {number}", case=found, incident=found.incident, evidence=_evidence,
            token=self._forms.token(visit.subject),
        )  # fmt: skip

    def alert(self, visit: Visit) -> Response:
        """The incident that an alert is of."""
        with self._store.reading() as connection:
            number = incidents.of_alert(connection, visit.clearance, visit.request.path_params["position"])
        return RedirectResponse(f"/incidents/{number}", 303)

    def say(self, visit: Visit, form: dict[str, str]) -> tuple[str, int]:
        """Add what somebody decides about an incident; return what, and about which.

        Raises:
            DeniedError: the form is of another page or session, or the person may not.
            ArgumentError: it cannot be understood.
        """
        self._forms.check(visit.subject, visit.request.headers.get("Origin", ""), form.get("token", ""))
        visit.clearance.needs("handles")
        number: int = visit.request.path_params["number"]
        try:
            choice, seen = Choice(form.get("choice", "")), int(form.get("seen", ""))
        except ValueError as error:
            raise ArgumentError("The form is not whole.", remedy="Open the incident again.") from error
        with self._store.writing() as connection:
            said = incidents.Said(visit.subject.person, choice, seen, form.get("note", ""))
            incidents.say(connection, visit.clearance, number, said)
        return choice.value, number

    def plots(self, visit: Visit) -> Response:
        """How many events and alerts over time."""
        span = visit.asked("span") or "hour"
        if span not in counts.SPANS:
            raise ArgumentError(f"{span} is no time.", remedy=f"Choose of {', '.join(counts.SPANS)}.")
        length, part = counts.SPANS[span]
        with self._store.reading() as connection:
            found = counts.counts(connection, visit.clearance, Window.last(length), part)
        return self._page(
            visit, "plots", "Plots", span=span, spans=list(counts.SPANS), counts=found, levels=alerts.LEVELS,
            events=plot.bars(found.parts, {"records": found.records}), alerts=plot.bars(found.parts, found.alerts),
            alerts_total=sum(map(sum, found.alerts.values())),
        )  # fmt: skip

    def collection(self, visit: Visit) -> Response:
        """How records of each host arrive."""
        with self._store.reading() as connection:
            found = collection.collection(connection, visit.clearance, self._site.senders)
        order = {state: place for place, state in enumerate(("gap", "nothing", "silent", "late", "well"))}
        found = replace(found, senders=sorted(found.senders, key=lambda sender: (order[sender.state], sender.host)))
        return self._page(visit, "collection", "Collection", collected=found)

    def site(self, visit: Visit) -> Response:
        """Zones and hosts, and which of them are in alert."""
        with self._store.reading() as connection:
            in_alert = incidents.hosts_in_alert(connection, visit.clearance)
        known = {host.name for zone in self._site.zones for host in zone.hosts}
        strangers = sorted(set(in_alert) - known)
        return self._page(visit, "site", "The site", in_alert=in_alert, order=alerts.LEVELS, strangers=strangers)

    def _page(self, visit: Visit, name: str, title: str, **values: Any) -> Response:
        here = visit.request.url.path
        text = self._pages.page(
            f"{name}.html", title=title, here=here, subject=visit.subject, clearance=visit.clearance, **values
        )
        return HTMLResponse(text)

    def _rows(self, visit: Visit, name: str, place: str, **values: Any) -> Response:
        text = self._pages.page(f"{name}.html", clearance=visit.clearance, **values)
        return HTMLResponse(text, headers={"X-Place": place})


def _window(visit: Visit) -> Window:
    until = visit.time("until")
    since = visit.time("since")
    if since is None:
        try:
            since = (until or datetime.now(UTC)) - SEARCHED
        except OverflowError as error:
            raise ArgumentError("There is no such time.", remedy="Write it as 2026-01-05T09:12.") from error
    return Window(since, until)


def _given(place: Place | None) -> Place:
    if place is None:
        raise ArgumentError("A place is missing.", remedy="Open the page again.")
    return place


def _named(about: dict[str, str]) -> dict[str, str]:
    """Of what is asked for, what an event can tell: the person whose deeds are read is no actor of the reading."""
    return {name: value for name, value in about.items() if name in {"patient", "accession", "study"} and value}


def _only(values: list[str]) -> str:
    return values[0] if len(values) == 1 else ""


def _evidence(alert: Alert) -> list[int]:
    """Positions of the events that show what an alert says."""
    told = alert.masked.fields.get("events")
    positions = [int(one) for one in told if isinstance(one, int)] if isinstance(told, list) else []
    return (positions or [alert.about])[:MOST_EVIDENCE]

"""The console's web application: leads a request to its page, and refuses what may not be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from simulators.access import subject
from simulators.access.denied import DeniedError
from simulators.errors import ArgumentError, BusyError, NotFoundError, SimulatorError
from simulators.events.actions import HANDLE_INCIDENT, READ_AUDIT
from simulators.events.report import write_event, write_failure
from simulators.siem.console.audit_event import CONTENT_TYPE, refusal
from simulators.siem.console.clearance import NOTHING, Clearance
from simulators.siem.console.forms import Forms
from simulators.siem.console.pages import FOLDER, Pages
from simulators.siem.console.readings import Readings
from simulators.siem.console.views import Views
from simulators.siem.console.visit import Visit

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from simulators.access.policy import Policy
    from simulators.siem.console.site import Site
    from simulators.siem.console.store import Store

HEAD = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self';"
    " connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",  # with none, browsers do not say from which page a form comes
    "Cache-Control": "no-store",
}
"""What every answer says of itself: no script but the console's own, nothing of others, kept by no browser."""
LARGEST = 16_384
"""Octets of a form."""
SIGN_OUT = "/sign-on/callback?logout={}/signed-out"
"""The web server in front ends the session there."""
ISSUES = {400: "invalid", 401: "login", 403: "forbidden", 404: "not-found"}
"""OperationOutcome.issue.code, by the status of an answer."""
WORDS = frozenset({
    "events", "alerts", "incidents", "study", "plots", "collection", "site", "live", "fhir",
})  # fmt: skip
"""First words of addresses, which are told."""
TITLES = {400: "That cannot be asked", 401: "Nobody is signed in", 403: "Not for your role", 404: "Not found"}


class Console:
    """Answers requests, each for the person who makes it."""

    def __init__(self, store: Store, policy: Policy, site: Site) -> None:
        """Show what is in a store, of a site, as far as a policy lets people see it."""
        self._policy = policy
        common = {"site": site, "sign_out": SIGN_OUT.format(site.origin)}
        self._pages = Pages(common)
        self._views = Views(store, site, self._pages, Forms(site.origin), Readings())

    def application(self) -> Starlette:
        """The web application."""
        views = self._views
        pages = [
            ("/", views.now),
            ("/live/events", views.live_events),
            ("/live/alerts", views.live_alerts),
            ("/events", views.search),
            ("/events/{position:int}", views.event),
            ("/fhir/AuditEvent", views.audit_events),
            ("/fhir/AuditEvent/{position:int}", views.audit_event),
            ("/study", views.who_saw),
            ("/incidents", views.incidents),
            ("/incidents/{number:int}", views.incident),
            ("/alerts/{position:int}", views.alert),
            ("/plots", views.plots),
            ("/collection", views.collection),
            ("/site", views.site),
        ]
        return Starlette(
            routes=[
                *(Route(path, self._page(view), methods=["GET"]) for path, view in pages),
                Route("/incidents/{number:int}", self._say, methods=["POST"]),
                Mount("/static", StaticFiles(directory=FOLDER / "static")),
            ],
            middleware=[Middleware(_Head)],
            exception_handlers={SimulatorError: self._refuse, HTTPException: self._unknown, Exception: self._fail},
        )

    def _page(self, view: Callable[[Visit], Response]) -> Callable[[Request], Response]:
        def answer(request: Request) -> Response:
            return view(Visit.of(request, self._policy))

        return answer

    async def _say(self, request: Request) -> Response:
        body = b""
        async for part in request.stream():
            body += part
            if len(body) > LARGEST:
                raise ArgumentError("The form is too large.", remedy="Write a shorter note.")
        form = dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=10))

        def work() -> Response:
            visit = Visit.of(request, self._policy)
            choice, number = self._views.say(visit, form)
            who, view = visit.subject, f"incident-{number}"
            write_event(HANDLE_INCIDENT, person=who.person, peer=who.address, view=view, change=choice)
            return RedirectResponse(f"/incidents/{number}", 303)

        return await run_in_threadpool(work)

    def _refuse(self, request: Request, error: Exception) -> Response:
        """Say why something is not to be had, and tell it where it was not for that person to have."""
        assert isinstance(error, SimulatorError)  # noqa: S101 - what the handler is for
        person, address = request.headers.get(subject.PERSON, ""), request.headers.get(subject.ADDRESS, "")
        action = HANDLE_INCIDENT if request.method == "POST" else READ_AUDIT
        if isinstance(error, DeniedError):
            person = person if subject.NAME.fullmatch(person) else ""
            write_event(action, reason=error.reason, person=person, peer=address, view=_view(request))
        elif not isinstance(error, ArgumentError | NotFoundError):
            write_failure(action, error, person=person, peer=address, view=_view(request))
        return self._told(request, _status(error), error.message, error.remedy)

    def _unknown(self, request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # noqa: S101 - what the handler is for
        return self._told(request, error.status_code, "There is no such page.", "Choose one of those above.")

    def _fail(self, request: Request, error: Exception) -> Response:
        write_failure(READ_AUDIT, error, view=_view(request))
        return self._told(request, 500, "The console has a fault.", "Its log on the host says which.")

    def _told(self, request: Request, status: int, message: str, remedy: str) -> Response:
        if request.url.path.startswith("/fhir/"):
            issue = ISSUES.get(status, "exception")
            return JSONResponse(refusal(issue, f"{message} {remedy}"), status, media_type=CONTENT_TYPE)
        who, clearance = None, NOTHING
        if status != 401:  # noqa: PLR2004 - RFC 9110 15.5.2
            try:
                who = subject.read(request.headers)
                clearance = Clearance.of(self._policy, who.roles)
            except DeniedError:
                pass
        values: dict[str, Any] = {"here": "", "subject": who, "clearance": clearance}
        text = self._pages.page(
            "refused.html", title=TITLES.get(status, "That did not work"), message=message, remedy=remedy, **values
        )
        return HTMLResponse(text, status)


def _view(request: Request) -> str:
    """The first word of an address, which says which page it is of and nothing else."""
    word = request.url.path.split("/")[1]
    return word if word in WORDS else "now"


def _status(error: SimulatorError) -> int:
    if isinstance(error, DeniedError):
        return error.status
    if isinstance(error, NotFoundError):
        return 404
    return 400 if isinstance(error, ArgumentError | BusyError) else 503


class _Head:
    """Adds what every answer says of itself."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEAD)
            await send(message)

        await self._app(scope, receive, sending)

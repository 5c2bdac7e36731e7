"""The gateway's web application: what the web server in front of it asks for a person."""

from __future__ import annotations

import asyncio
import json
import time
from typing import TYPE_CHECKING, Any

from aiohttp import web

from simulators.access import subject
from simulators.access.calling import BROKEN
from simulators.access.decision import no_relation
from simulators.access.denied import DeniedError
from simulators.errors import (
    ArgumentError,
    NotFoundError,
    NotReadyError,
    RefusedError,
    SimulatorError,
    UnreachableError,
)
from simulators.events import reasons
from simulators.events.actions import PERSON_ADDS, PERSON_BREAKS_GLASS, PERSON_SEARCHES, PERSON_VIEWS, USE_SESSION
from simulators.events.report import write_event, write_failure
from simulators.gateway import searching, storing
from simulators.gateway.access import ADD, BREAK_GLASS, EMERGENCY, SEARCH
from simulators.gateway.archives import LONGEST_ANSWER, ROOT
from simulators.gateway.asked import Asked, Kind, read
from simulators.gateway.media_types import accept_for

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from aiohttp.web import StreamResponse

    from simulators.access.relations import Reach
    from simulators.access.subject import Subject
    from simulators.events.vocabulary import Action
    from simulators.gateway.access import Access
    from simulators.gateway.browsers import Browsers
    from simulators.gateway.studies import Studies, Study

SAME_LOOK = 300.0
"""Seconds for which somebody who goes on looking at a series looks at it once, on record."""
CHUNK = 256 * 1024
JSON, DICOM_JSON = "application/json", "application/dicom+json"
PASSED = ("multipart/related", "application/dicom", DICOM_JSON, "application/octet-stream")
"""Content types that an archive may answer with: none that a browser would take for a page."""
NEVER_KEPT = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
BAD_REQUEST, NOT_FOUND, BAD_GATEWAY, UNAVAILABLE = 400, 404, 502, 503
ACTIONS = {Kind.SEARCH: PERSON_SEARCHES, Kind.RETRIEVE: PERSON_VIEWS, Kind.STORE: PERSON_ADDS}


class Gateway:
    """Answers requests, each for the person who makes it."""

    def __init__(
        self,
        access: Access,
        studies: Studies,
        browsers: Browsers,
        *,
        origin: str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Decide with ``access``, find in ``studies``, for sessions where ``browsers`` has them.

        Pages of ``origin`` alone may change anything.
        """
        self._access, self._studies, self._origin, self._clock = access, studies, origin, clock
        self._looks: dict[tuple[str, ...], float] = {}
        self._browsers = browsers

    def use(self, access: Access, studies: Studies) -> None:
        """Decide and find with others from now on."""
        self._access, self._studies = access, studies

    def application(self) -> web.Application:
        """The web application."""
        application = web.Application(client_max_size=storing.LARGEST)
        application.router.add_get("/gateway/session", self._session)
        application.router.add_post("/gateway/break-glass", self._break_glass)
        application.router.add_route("*", "/{everything:.*}", self._dicomweb)
        return application

    def _who(self, request: web.Request) -> Subject:
        """Who asks, in the browser that the session began in."""
        person = subject.read(request.headers)
        self._browsers.check(person)
        return person

    async def _session(self, request: web.Request) -> web.Response:
        """Tell a page who is signed in, and what the person may do."""
        try:
            person = self._who(request)
        except SimulatorError as error:
            write_failure(USE_SESSION, error, person=request.headers.get(subject.PERSON, ""))
            return _answer(_status(error), error.as_dict())
        actions = self._access.policy.actions(person.roles)
        emergencies = sorted(self._access.grants.patients(person.person)) if BREAK_GLASS in actions else []
        return _answer(
            200,
            {
                "person": person.person,
                "roles": person.roles,
                "department": person.department,
                "actions": actions,
                "emergencies": emergencies,
            },
        )

    async def _break_glass(self, request: web.Request) -> StreamResponse:
        known: dict[str, Any] = {}

        async def work(person: Subject) -> web.Response:
            self._same_site(request)
            if not self._access.may_break_glass(person):
                raise DeniedError(
                    "Your role may not see patients in an emergency.",
                    remedy="Call somebody who treats the patient.",
                    reason=reasons.ROLE,
                )
            try:
                said = json.loads(await request.text())
                patient, why = str(said["patient"]), str(said["reason"])
            except (ValueError, KeyError, TypeError):
                raise ArgumentError("patient and reason are missing", remedy="Send both as JSON.") from None
            known["patient"] = patient
            grant = self._access.grants.grant(person, patient, why)
            write_event(
                PERSON_BREAKS_GLASS, person=person.person, patient=patient, seconds=round(grant.until - time.time())
            )
            return _answer(200, {"patient": patient, "until": grant.until})

        return await self._told(request, PERSON_BREAKS_GLASS, None, work, known)

    async def _dicomweb(self, request: web.Request) -> StreamResponse:
        known: dict[str, Any] = {}
        try:
            asked = read(request.method, request.raw_path)
        except ArgumentError as error:
            person = request.headers.get(subject.PERSON, "")
            write_event(PERSON_VIEWS, reason=reasons.NO_RESOURCE, transaction=Kind.RETRIEVE, person=person)
            return _answer(BAD_REQUEST, {**error.as_dict(), "reason": reasons.NO_RESOURCE.word})

        async def work(person: Subject) -> StreamResponse:
            if asked.kind is Kind.SEARCH:
                return await self._search(person, asked, known)
            if asked.kind is Kind.RETRIEVE:
                return await self._retrieve(request, person, asked, known)
            return await self._store(request, person, asked, known)

        known["study"] = asked.study
        return await self._told(request, ACTIONS[asked.kind], asked.kind, work, known)

    async def _told(
        self,
        request: web.Request,
        action: Action,
        transaction: str | None,
        work: Callable[[Subject], Awaitable[StreamResponse]],
        known: dict[str, Any],
    ) -> StreamResponse:
        """Answer, and keep on record what was refused or could not be done."""
        try:
            known["person"] = request.headers.get(subject.PERSON, "")
            return await work(self._who(request))
        except SimulatorError as error:
            write_failure(action, error, transaction=transaction, **known)
            return _answer(_status(error), error.as_dict())

    async def _search(self, person: Subject, asked: Asked, known: dict[str, Any]) -> web.Response:
        reach = await self._access.reach(person, SEARCH)
        if asked.study is not None:
            study = await self._studies.study(asked.study)
            known["patient"] = study.patient
            reach = await self._access.to_study(person, study)
        answer = await searching.search(self._studies, asked, reach)
        if len(answer.silent) == len(self._studies.archives) and answer.silent:
            raise DeniedError(
                "No archive answers.",
                remedy="Try again in a minute.",
                reason=reasons.ARCHIVE_SILENT,
                status=UNAVAILABLE,
            )
        if asked.study is None:
            write_event(
                PERSON_SEARCHES,
                transaction=Kind.SEARCH,
                person=person.person,
                level=asked.level,
                found=len(answer.found),
            )
        headers = {}
        notes = [f"{name} does not answer" for name in (*answer.silent, *reach.silent)]
        notes += ["There are more results than are told" for _ in range(answer.more)]
        if notes:
            headers["Warning"] = f'299 pacslab "{"; ".join(notes)}"'
        return _answer(200, answer.found, headers, content_type=DICOM_JSON)

    async def _retrieve(
        self, request: web.Request, person: Subject, asked: Asked, known: dict[str, Any]
    ) -> StreamResponse:
        study = await self._studies.study(asked.study or "")
        known |= {"patient": study.patient, "series": asked.series, "instance": asked.instance}
        reach = await self._access.to_study(person, study)
        archive = await self._studies.holder(study, asked.series, asked.instance)
        if archive is None:
            raise NotFoundError("the study has no such part", remedy="Search for what it has.")
        headers = {"Accept": accept_for(asked.path, ", ".join(request.headers.getall("Accept", ["*/*"])))}
        async with archive.service.ask("GET", asked.path, headers) as upstream:
            if upstream.status == NOT_FOUND:
                raise NotFoundError("the archive has no such part", remedy="Search for what there is.")
            kind = upstream.headers.get("Content-Type", "")
            if not upstream.ok or upstream.content_type not in PASSED:
                raise RefusedError(
                    f"{archive.name} answers {upstream.status} with {upstream.content_type}",
                    remedy="Ask for another media type.",
                )
            self._note_look(person, study, asked, reach)
            if asked.path.endswith("/metadata"):
                said = await archive.service.whole(upstream, LONGEST_ANSWER)
                body = said.replace(archive.base.encode(), f"{self._origin}{ROOT}".encode())
                return web.Response(body=body, headers={"Content-Type": kind, **NEVER_KEPT})
            try:
                return await self._stream(request, upstream, kind)
            except BROKEN as error:
                if request.transport is not None:
                    request.transport.abort()  # what was begun cannot become an error any more
                raise archive.service.silent(error) from error

    @staticmethod
    async def _stream(request: web.Request, upstream: Any, kind: str) -> StreamResponse:
        answer = web.StreamResponse(headers={"Content-Type": kind, **NEVER_KEPT})
        if upstream.content_length is not None:
            answer.content_length = upstream.content_length
        await answer.prepare(request)
        async for chunk in upstream.content.iter_chunked(CHUNK):
            await answer.write(chunk)
        await answer.write_eof()
        return answer

    async def _store(
        self, request: web.Request, person: Subject, asked: Asked, known: dict[str, Any]
    ) -> StreamResponse:
        self._same_site(request)
        reach = await self._access.reach(person, ADD)
        body = await request.read()
        kind = request.headers.get("Content-Type", "")
        objects = await asyncio.get_running_loop().run_in_executor(None, storing.objects_of, kind, body)
        for added in objects:
            known |= {"patient": added.patient, "study": added.study}
            if not reach.has(added.patient):
                raise no_relation(reach, otherwise=EMERGENCY)
            there = await self._studies.study(added.study)
            if there.silent:
                raise DeniedError(
                    f"Whose study it is cannot be said: {', '.join(there.silent)} does not answer.",
                    remedy="Try again in a minute.",
                    reason=reasons.ARCHIVE_SILENT,
                    status=UNAVAILABLE,
                )
            if asked.study not in {None, added.study} or (there.holders and there.patient != added.patient):
                raise DeniedError(
                    "An object belongs to another study than it says.",
                    remedy="Correct its Study Instance UID.",
                    reason=reasons.OTHER_STUDY,
                )
        archive = next((entry for entry in self._studies.archives.values() if entry.takes), None)
        if archive is None:
            raise NotFoundError("no archive takes objects from here", remedy="Permit STOW-RS in a flow of this host.")
        content_type, message = storing.message_of(objects)
        headers = {"Content-Type": content_type, "Accept": DICOM_JSON}
        async with archive.service.ask("POST", asked.path, headers, message) as upstream:
            said = await archive.service.whole(upstream, LONGEST_ANSWER)
            if not upstream.ok:
                raise RefusedError(
                    f"{archive.name} answers {upstream.status} and stores nothing", remedy="Read its log."
                )
        stored = storing.stored(said)
        for added in objects:
            write_event(
                PERSON_ADDS, transaction=Kind.STORE, person=person.person, patient=added.patient, study=added.study,
                instance=added.instance, reason=None if added.instance in stored else reasons.REFUSED_BY_PEER,
            )  # fmt: skip
        return web.Response(body=said, headers={"Content-Type": DICOM_JSON, **NEVER_KEPT})

    def _same_site(self, request: web.Request) -> None:
        """Only the site's own pages change anything (cross-site request forgery)."""
        if (
            request.headers.get("Origin") != self._origin
            or request.headers.get("Sec-Fetch-Site", "same-origin") != "same-origin"
        ):
            raise DeniedError(
                "The request was not started by this site's own page.",
                remedy="Open the viewer itself.",
                reason=reasons.OTHER_SITE,
            )

    def _note_look(self, person: Subject, study: Study, asked: Asked, reach: Reach) -> None:
        """Keep on record who looks at what; going on in the same series is the same look."""
        now, key = self._clock(), (person.person, person.session, study.uid, asked.series or "")
        if self._looks.get(key, 0.0) > now:
            return
        self._looks = {known: until for known, until in self._looks.items() if until > now} | {key: now + SAME_LOOK}
        write_event(
            PERSON_VIEWS,
            transaction=Kind.RETRIEVE,
            person=person.person,
            patient=study.patient,
            study=study.uid,
            series=asked.series,
            state="emergency" if study.patient in reach.emergency else None,
        )


def _status(error: SimulatorError) -> int:
    if isinstance(error, DeniedError):
        return error.status
    if isinstance(error, NotFoundError):
        return NOT_FOUND
    if isinstance(error, ArgumentError):
        return BAD_REQUEST
    return UNAVAILABLE if isinstance(error, UnreachableError | NotReadyError) else BAD_GATEWAY


def _answer(
    status: int, content: Any, headers: dict[str, str] | None = None, *, content_type: str = JSON
) -> web.Response:
    return web.Response(
        status=status,
        body=json.dumps(content, separators=(",", ":")).encode(),
        headers={"Content-Type": content_type, **NEVER_KEPT, **(headers or {})},
    )

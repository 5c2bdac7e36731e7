"""The console gives strangers nothing, believes the web server alone, and its service can change no record."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from lab.verify.hardening.declare import Sabotage, has_role, promise
from lab.verify.hardening.facts import program
from lab.verify.hardening.sabotages import changed_file

if TYPE_CHECKING:
    from testinfra.host import Host

    from lab.verify.hardening.declare import Target
    from lab.verify.hardening.expect import Expect

CONSOLE = has_role("siem_console")
SETTINGS = "/etc/apache2/apache2.conf"
RESTART = (
    "systemctl restart apache2; "
    "for n in $(seq 100); do ss -Htln | grep -q ':443 ' && break; sleep 0.1; done; [ $n -lt 100 ]"
)
ALSO = ("hardening.console.*",)
PAGES = ("/", "/events", "/incidents", "/study?key=1", "/plots", "/collection", "/site", "/nowhere", "/..%2fetc")
PARTS = ("/live/events", "/live/alerts", "/fhir/AuditEvent", "/static/console.css")
OPEN = ("/signed-out", "/pages/refused.html")
"""What is there for everybody."""
HEAD = {
    "content-security-policy": (
        r"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; [^\n]*frame-ancestors 'none'"
    ),
    "strict-transport-security": r"max-age=\d{8,}",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cache-control": r"([^\n]*no-store[^\n]*\n?)+",  # who is sent to the sign-on is told so twice: by its module too
}
IDENTITY = ("Person", "Roles", "Session", "Address")
"""Of the headers by which the web server tells the service who asks: ``X-Pacslab-*``."""


def asking(target: Target) -> str:
    return program("console_questions", f"{target.host}.{target.site.topology.domain}", *PAGES, *PARTS, *OPEN)


def answers(host: Host, target: Target) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(host.check_output(asking(target)))
    return found


def edited(expression: str, also: tuple[str, ...] = ALSO, **rest: Any) -> Sabotage:
    return changed_file(SETTINGS, f"sed -i '{expression}' $FILE", then=RESTART, also=also, **rest)


def sql(statement: str, back: str, *also: str) -> Sabotage:
    run = "runuser -u postgres -- psql -X -q -d siem -c"
    return Sabotage(f"cd / && {run} '{statement}'", f"cd / && {run} '{back}'", also=also)


@promise(
    "hardening.console.strangers",
    "Who has not signed in is sent to the sign-on or refused, whatever is claimed in a request's head.",
    remedy="`pacslab up --again`; the locations in /etc/apache2/apache2.conf.",
    where=CONSOLE,
    reads=(asking,),
    sabotage=edited("s#^    <Location /pages/>#    <Location /static/>#"),
)
def test_strangers_get_nothing(host: Host, target: Target, expect: Expect) -> None:
    found = answers(host, target)
    for how in ("strangers", "forged"):
        wrong = [f"{path} ({found[how][path]})" for path in PAGES if found[how][path] not in {302, 404}]
        wrong += [f"{path} ({found[how][path]})" for path in PARTS if found[how][path] != 401]
        expect.none(wrong, f"pages that are there without a session ({how})")
    expect.equal([200] * len(OPEN), [found["strangers"][path] for path in OPEN], "pages for everybody")
    expect.equal((401, 421), (found["posted"], found["other_name"]), "answers to a form, and to another name")
    (sign_on,) = [flow.target for flow in target.site.flows_out(target.host) if flow.service == "sign-on"]
    origin = f"https://{sign_on}.{target.site.topology.domain}/"
    expect.that(found["sent"].startswith(origin), f"sent to {origin}", found["sent"][:80])


@promise(
    "hardening.console.head",
    "Pages of the console run its own scripts alone, stand in no frame, and are kept by no browser.",
    remedy="`pacslab up --again`; the Header lines of /etc/apache2/apache2.conf.",
    where=CONSOLE,
    each=lambda _: [(name, name) for name in HEAD],
    reads=(asking,),
    sabotage=edited("/set X-Frame-Options/d", on=lambda target: target.value == "x-frame-options"),
)
def test_browsers_are_told_what_a_page_may(host: Host, target: Target, subject: str, expect: Expect) -> None:
    for path, head in answers(host, target)["heads"].items():
        value = head.get(subject, "")
        told = re.fullmatch(HEAD[subject], value) is not None
        expect.that(told, f"{subject} of {path} as {HEAD[subject]!r}, once", repr(value))


@promise(
    "hardening.console.identity",
    "What a request says of who makes it goes no further: the web server removes it, and tells the service itself.",
    remedy="`pacslab up --again`; the RequestHeader lines of /etc/apache2/apache2.conf.",
    where=CONSOLE,
    each=lambda _: [(f"X-Pacslab-{name}", f"X-Pacslab-{name}") for name in IDENTITY],
    reads=(asking,),
    sabotage=edited("/RequestHeader set X-Pacslab-Roles/d", on=lambda target: target.value == "X-Pacslab-Roles"),
)
def test_the_service_is_told_by_the_web_server(host: Host, target: Target, subject: str, expect: Expect) -> None:
    lines = answers(host, target)["settings"]
    expect.that(f"RequestHeader unset {subject} early" in lines, f"{subject} removed", "it is left")
    own = [line for line in lines if line.startswith(f"RequestHeader set {subject} expr=%{{")]
    expect.equal(1, len(own), f"lines that set {subject}")


@promise(
    "hardening.console.behind",
    "The web server alone opens the socket of the service that makes pages, which has no network.",
    remedy="`pacslab up --again`; pacslab-console.socket and pacslab-console.service.",
    where=CONSOLE,
    reads=(asking,),
    sabotage=Sabotage("chmod 0666 /run/pacslab-console.sock", "chmod 0660 /run/pacslab-console.sock"),
)
def test_nobody_but_the_web_server_opens_the_service(host: Host, target: Target, expect: Expect) -> None:
    found = answers(host, target)
    expect.equal("0 www-data srw-rw----", found["socket"], "owner, group and mode of the socket")
    expect.equal(["lo"], found["network"], "network interfaces of the service")


@promise(
    "hardening.console.records",
    "The console's account of the database changes and removes nothing, and reads no message as it came.",
    remedy="`systemctl restart pacslab-console-tables`; simulators/siem/console/tables.sql.",
    where=CONSOLE,
    reads=(asking,),
    sabotage=sql(
        'GRANT DELETE ON siem.alerts TO "siem-console"',
        'REVOKE DELETE ON siem.alerts FROM "siem-console"',
        "hardening.repository.append-only",
    ),
)
def test_the_console_changes_and_removes_nothing(host: Host, target: Target, expect: Expect) -> None:
    expect.none(answers(host, target)["rights"], "rights beyond reading what is shown")


@promise(
    "hardening.console.record",
    "A request without a session is on record, with the address that it came from.",
    remedy="`pacslab status`; `journalctl -t pacslab-console`, and CustomLog in /etc/apache2/apache2.conf.",
    where=CONSOLE,
    reads=(asking,),
    sabotage=edited("/^CustomLog /d", (*ALSO, "hardening.processes.running")),  # it writes to a program of its own
)
def test_a_refused_request_is_on_record(host: Host, target: Target, expect: Expect) -> None:
    line = answers(host, target)["recorded"]
    event = json.loads(line) if line else {}
    found = {key: event.get(key) for key in ("action", "outcome", "reason", "peer", "edge")}
    wanted = {"action": "request", "outcome": "refused", "reason": "not-signed-in", "edge": "console"}
    expect.equal({**wanted, "peer": found["peer"]}, found, "event")
    expect.that(bool(found["peer"]), "where from", line)

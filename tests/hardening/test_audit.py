"""Audit messages are made of the host's whole journal, go to the site's repository alone, and do not wait for long."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from lab.verify.hardening.declare import Sabotage, promise
from lab.verify.hardening.sabotages import changed_file, drop_in

if TYPE_CHECKING:
    from testinfra.host import Host

    from lab.verify.hardening.declare import Target
    from lab.verify.hardening.expect import Expect

ROLE, SERVICE, UNIT = "audit_source", "syslog-tls", "pacslab-audit.service"
SETTINGS = "/etc/pacslab/audit.json"
LATE = "/run/pacslab-audit/late"
GROUP = "systemd-journal"
"""Whose members read the journal (systemd-journald.service(8))."""
READING = (
    "for try in $(seq 100); do"
    f" main=$(systemctl show --property=MainPID --value {UNIT});"
    ' for status in $(grep --files-with-matches "^PPid:.$main$" /proc/[0-9]*/status); do'
    " grep --quiet '^Name:.journalctl$' $status && grep ^Groups: $status && exit;"
    " done; sleep 0.2; done 2>/dev/null; true"
)
"""The groups of the program that reads the journal, once there is one: it begins seconds after a host's start."""
WITH_IT = ("hardening.processes.*", "hardening.units.*")


def source(target: Target) -> bool:
    """Hosts that make audit messages, and have a repository to send them to."""
    return ROLE in target.roles and bool(repositories(target))


def repositories(target: Target) -> list[str]:
    """Where messages go: to the host itself where it takes them, else where its flows lead."""
    site = target.site
    if SERVICE in site.services(target.host):
        return [target.host]
    return [flow.target for flow in site.flows_out(target.host) if flow.service == SERVICE]


@promise(
    "hardening.audit.journal",
    "The program that makes audit messages reads the whole journal, as a member of its group and of no other.",
    remedy=f"Restore SupplementaryGroups= of {UNIT}, and restart it.",
    where=source,
    reads=(READING, f"getent group {GROUP} audit"),
    sabotage=drop_in(UNIT, "SupplementaryGroups=", also=WITH_IT),
)
def test_the_whole_journal_is_read(host: Host, expect: Expect) -> None:
    entries = str(host.check_output(f"getent group {GROUP} audit")).splitlines()
    wanted = {entry.split(":")[2] for entry in entries}
    words = str(host.check_output(READING)).split()
    expect.equal(sorted(wanted), sorted(set(words[1:])), "groups of the journal's reader")


@promise(
    "hardening.audit.repository",
    "Audit messages go to the repository that the site describes, and nothing else is believed to be it.",
    remedy=f"Restore {SETTINGS}: `pacslab up --again`.",
    where=source,
    reads=(f"cat {SETTINGS}",),
    sabotage=changed_file(SETTINGS, "sed -i 's/syslog-service[.]/syslog-node./' $FILE"),
)
def test_messages_go_to_the_sites_repository(host: Host, target: Target, expect: Expect) -> None:
    site = target.site
    wanted = [
        (str(site.hosts[name].address), site.services(name)[SERVICE].port, site.identity(name, SERVICE))
        for name in repositories(target)
    ]
    peers = json.loads(host.check_output(f"cat {SETTINGS}"))["peers"]
    expect.equal(wanted, [(peer["address"], peer["port"], peer["identity"]) for peer in peers], "repositories")


@promise(
    "hardening.audit.late",
    "No audit message waits for the repository longer than the site permits.",
    remedy="Read `journalctl -u pacslab-audit`; see the repository's syslog-tls in `pacslab status`.",
    where=source,
    reads=(f"cat {LATE}",),
    sabotage=Sabotage(
        f"cp -a {LATE} {LATE}.kept; echo '3 audit messages wait' >{LATE}",
        f"mv {LATE}.kept {LATE}",
    ),
)
def test_no_message_waits_for_long(host: Host, expect: Expect) -> None:
    said = str(host.check_output(f"cat {LATE}")).strip()
    expect.that(not said, "nothing that waits", said)

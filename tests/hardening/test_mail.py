"""The mail server keeps mail of the site's people alone; who tells people of incidents reads no event."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from lab.verify.hardening.declare import Sabotage, has_role, promise
from lab.verify.hardening.facts import program
from lab.verify.hardening.sabotages import changed_file

if TYPE_CHECKING:
    from testinfra.host import Host

    from lab.verify.hardening.declare import Target
    from lab.verify.hardening.expect import Expect

SETTINGS = "/etc/pacslab/smtpd.conf"
RESTART = (
    "systemctl restart opensmtpd; "
    "for n in $(seq 100); do ss -Htln | grep -q ':10025 ' && break; sleep 0.1; done; [ $n -lt 100 ]"
)
TAKEN, REFUSED = 250, 500
RIGHTS = (
    'runuser --user=postgres -- psql --no-psqlrc --quiet --tuples-only --no-align --dbname=siem --command "'
    "SELECT c.relname || ' ' || p.what FROM pg_class AS c,"
    " unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE']) AS p (what)"
    " WHERE c.relnamespace = 'siem'::regnamespace AND c.relkind IN ('r', 'p')"
    " AND has_table_privilege('siem-notifier', c.oid, p.what) ORDER BY 1\""
)
READ = ("alerts SELECT", "decisions SELECT", "notices SELECT", "noticing SELECT")


def people(target: Target) -> list[str]:
    """Addresses of the site's people."""
    return [f"{name}@{target.site.topology.domain}" for name in target.site.topology.people]


def strangers(target: Target) -> list[str]:
    """Addresses that nobody of the site has: accounts of the host, other domains, ways around both."""
    domain = target.site.topology.domain
    return [f"root@{domain}", f"mailbox@{domain}", "somebody@elsewhere.invalid", f"root@{target.host}.{domain}"]


def asking(target: Target) -> str:
    port = target.site.services(target.host)["smtp"].port
    return program("mail_questions", str(port), *people(target), *strangers(target))


@promise(
    "hardening.mail.recipients",
    "The mail server takes mail for the site's people and for nobody else, and so sends none on.",
    remedy="`pacslab up --again`; the rules of /etc/pacslab/smtpd.conf.",
    where=has_role("mail"),
    reads=(asking,),
    sabotage=changed_file(SETTINGS, "echo 'match from any for any action \"keep\"' >>$FILE", then=RESTART),
)
def test_mail_is_for_the_sites_people_alone(host: Host, target: Target, expect: Expect) -> None:
    found = json.loads(host.check_output(asking(target)))
    expect.none([address for address in people(target) if found[address] != TAKEN], "people whose mail is not taken")
    expect.none([address for address in strangers(target) if found[address] < REFUSED], "others whose mail is taken")


@promise(
    "hardening.notices.records",
    "The account that tells people of incidents reads alerts and decisions, no event, and changes and removes nothing.",
    remedy="`systemctl restart pacslab-siem-notifier-tables`; simulators/siem/notify/tables.sql.",
    where=has_role("siem_notifier"),
    reads=(RIGHTS,),
    sabotage=Sabotage(
        "cd / && runuser -u postgres -- psql -X -q -d siem -c 'GRANT SELECT ON siem.events TO \"siem-notifier\"'",
        "cd / && runuser -u postgres -- psql -X -q -d siem -c 'REVOKE SELECT ON siem.events FROM \"siem-notifier\"'",
    ),
)
def test_the_notifier_reads_no_event(host: Host, expect: Expect) -> None:
    found = host.check_output(RIGHTS).splitlines()
    expect.some([right for right in found if right in READ], "rights to read")
    expect.none([right for right in found if right not in READ], "rights beyond reading alerts and decisions")

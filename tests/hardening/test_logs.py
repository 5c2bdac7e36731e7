"""A host's log reaches the collector over TLS, the journal keeps a part of it, and refusals are in it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lab.verify.hardening.declare import Sabotage, has_role, promise
from lab.verify.hardening.sabotages import changed_file, changed_mode

if TYPE_CHECKING:
    from collections.abc import Iterable

    from testinfra.host import Host

    from lab.verify.hardening.declare import Target
    from lab.verify.hardening.expect import Expect

SERVICE = "syslog-tls"
FORWARD = "cat /etc/pacslab/rsyslog/*.conf"
CONNECTED = "ss --no-header --tcp --numeric --processes state established"
FORWARDER = "rsyslogd"
"""Its connection counts alone: the daemon of audit messages has one to the same end."""
AFTER_A_LINE = (
    "logger --tag pacslab-verify 'is this line sent to the collector?'; "
    f"for try in $(seq 60); do {CONNECTED} dst '{{end}}' | grep -q {FORWARDER} && break; sleep 0.5; done; {CONNECTED}"
)
"""A sender that was cut off connects again for its next line, after 15 s at the latest (action.resumeIntervalMax)."""
JOURNAL = "systemd-analyze cat-config systemd/journald.conf"
WANTED = {
    'streamDriver="ossl"': "TLS",
    'streamDriverMode="1"': "TLS and nothing else",
    'streamDriverAuthMode="x509/name"': "the collector's certificate and name",
    'streamDriver.permitExpiredCerts="off"': "no expired certificate",
    "MinProtocol=TLSv1.2": "TLS 1.2 at least",
    "defaultNetstreamDriverCRLFile=": "a revocation list",
    'queue.saveOnShutdown="on"': "lines that wait survive a restart",
    'action.resumeRetryCount="-1"': "lines wait for the collector as long as it takes",
}
KEEP = {"Storage": "persistent", "ForwardToSyslog": "no", "ForwardToWall": "no"}
CONF = "/etc/pacslab/rsyslog/10-forward.conf"
JOURNALD = "/etc/systemd/journald.conf.d/zz-pacslab.conf"
FORWARDS = has_role("log_forwarder")


def sender(target: Target) -> bool:
    return FORWARDS(target) and any(flow.service == SERVICE for flow in target.site.flows_out(target.host))


def collector(target: Target) -> bool:
    return any(flow.service == SERVICE for flow in target.site.flows_in(target.host))


def senders(target: Target) -> Iterable[tuple[str, str]]:
    return [(flow.source, flow.source) for flow in target.site.flows_in(target.host) if flow.service == SERVICE]


def connected(listed: str) -> list[str]:
    """The other ends of the forwarder's established connections, as ``ss`` lists them."""
    return [line.split()[3] for line in listed.splitlines() if f'"{FORWARDER}"' in line]


@promise(
    "hardening.logs.forwarded",
    "The host's log goes to the collector over a connection that stands, or is made for the next line.",
    remedy="`systemctl status rsyslog` on the host; see the collector's syslog-tls in `pacslab status`.",
    where=sender,
    reads=(CONNECTED,),
    sabotage=Sabotage(
        "systemctl stop rsyslog",
        "systemctl start rsyslog; sleep 1",
        also=("hardening.processes.*", "hardening.units.*"),
    ),
)
def test_the_log_goes_to_the_collector(host: Host, target: Target, expect: Expect) -> None:
    site = target.site
    flow = next(flow for flow in site.flows_out(target.host) if flow.service == SERVICE)
    end = f"{site.hosts[flow.target].address}:{flow.port}"
    peers = connected(host.check_output(CONNECTED))
    if end not in peers:
        peers = connected(host.check_output(AFTER_A_LINE.format(end=end)))
    expect.that(end in peers, f"a connection to {end}", f"{len(peers)} others")


@promise(
    "hardening.logs.protected",
    "Lines are sent over TLS to the collector's own certificate, and wait for it while it is away.",
    remedy="Restore /etc/pacslab/rsyslog: `pacslab up --again`.",
    where=FORWARDS,
    each=lambda _: [(words, text) for text, words in WANTED.items()],
    reads=(FORWARD,),
    sabotage=changed_file(CONF, "sed -i 's,x509/name,anon,' $FILE", on=lambda target: "AuthMode" in target.value),
)
def test_lines_are_sent_over_tls(host: Host, subject: str, expect: Expect) -> None:
    expect.that(subject in host.check_output(FORWARD), subject, "it is missing")


@promise(
    "hardening.logs.journal",
    "The journal is kept over a restart, and is sent to nobody beside the forwarder.",
    remedy=f"Restore {JOURNALD}.",
    each=lambda _: [(f"{name}={value}", (name, value)) for name, value in KEEP.items()],
    reads=(JOURNAL,),
    sabotage=changed_file(
        JOURNALD, "sed -i 's/^Storage=.*/Storage=volatile/' $FILE", on=lambda target: target.value[0] == "Storage"
    ),
)
def test_the_journal_is_kept(host: Host, subject: tuple[str, str], expect: Expect) -> None:
    lines = [line.strip() for line in str(host.check_output(JOURNAL)).splitlines()]
    found = [line.partition("=")[2] for line in lines if line.startswith(f"{subject[0]}=")]
    expect.equal(subject[1], found[-1] if found else "nothing", subject[0])  # the last one counts


@promise(
    "hardening.logs.journal-closed",
    "Only root and the journal's group read the journal.",
    remedy="`chmod o-rwx` its files.",
    reads=("find /var/log/journal -type f -perm /0007 -print",),
    sabotage=Sabotage(
        "f=$(find /var/log/journal -name system.journal | head -1); stat -c %a $f >/run/kept; chmod o+r $f",
        "f=$(find /var/log/journal -name system.journal | head -1); chmod $(cat /run/kept) $f",
    ),
)
def test_the_journal_is_closed(host: Host, expect: Expect) -> None:
    found = str(host.check_output("find /var/log/journal -type f -perm /0007 -print")).split()
    expect.none(found, "journal files for everybody")


@promise(
    "hardening.logs.refusals",
    "The host's refusals are written to the journal, which the forwarder reads.",
    remedy="`systemctl restart ulogd2`; restore /etc/ulogd.conf.",
    sabotage=changed_file("/etc/ulogd.conf", "sed -i 's/journal:SYSLOG/other:LOGEMU/' $FILE"),
)
def test_refusals_are_written(host: Host, expect: Expect) -> None:
    text = host.file("/etc/ulogd.conf").content_string
    stacks = [line.partition("=")[2].split(",") for line in text.splitlines() if line.startswith("stack=")]
    expect.equal([("NFLOG", "SYSLOG")], [(way[0].split(":")[-1], way[-1].split(":")[-1]) for way in stacks], "ways")


@promise(
    "hardening.logs.rotated",
    "No log can fill the disk: the journal has a bound at every moment.",
    remedy=f"Restore {JOURNALD}.",
    reads=(JOURNAL,),
    sabotage=changed_file(JOURNALD, "sed -i '/^SystemMaxUse=/d' $FILE"),
)
def test_the_journal_has_a_bound(host: Host, expect: Expect) -> None:
    lines = [line.strip() for line in str(host.check_output(JOURNAL)).splitlines()]
    expect.some([line for line in lines if line.startswith("SystemMaxUse=")], "bounds of the journal")


@promise(
    "hardening.logs.bounded",
    "What is collected has a bound at every moment: a full log is put aside, and the oldest of the longest goes.",
    remedy="Restore /etc/pacslab/rsyslog: `pacslab up --again`.",
    where=collector,
    reads=(FORWARD,),
    sabotage=changed_file("/usr/local/lib/pacslab/collector-rotate", "chmod -x $FILE"),
)
def test_collected_logs_have_a_bound(host: Host, expect: Expect) -> None:
    text = str(host.check_output(FORWARD))
    writers = re.findall(r'type="omfile"|binary="(\S+)"', text)
    expect.equal(["/usr/local/lib/pacslab/collector-keep"], writers, "writers of the collected logs")
    limits = [int(size) for size in str(host.file("/etc/pacslab/log-bytes").content_string).split()[:1]]
    rotate = host.file("/usr/local/lib/pacslab/collector-rotate")
    expect.that(
        rotate.exists and bool(rotate.mode & 0o100), "a program that puts a full log aside", "none that can run"
    )
    aside = int(str(host.file("/etc/pacslab/log-bytes").content_string).split()[1])
    used = int(str(host.check_output("du --summarize --apparent-size --bytes /var/log/pacslab")).split()[0])
    files = len(host.file("/var/log/pacslab").listdir())
    expect.that(used <= aside + files * max(limits, default=0), f"{aside} bytes put aside at most", f"{used} in all")


@promise(
    "hardening.logs.collected",
    "The collector keeps a log of each sender, which nobody but root and the group adm may read.",
    remedy="See log-sources of the collector in `pacslab status`.",
    where=collector,
    each=senders,
    sabotage=changed_mode(lambda target: f"/var/log/pacslab/{target.value}.jsonl", "0644"),
)
def test_every_sender_has_a_log(host: Host, subject: str, expect: Expect) -> None:
    file = host.file(f"/var/log/pacslab/{subject}.jsonl")
    expect.that(file.exists, "a log", "none")
    expect.equal(("root", "adm"), (file.user, file.group), "owner and group")
    expect.that(file.mode & 0o027 == 0, "0640 at most", f"{file.mode & 0o7777:04o}")
    expect.that(file.size > 0, "lines", "an empty file")

"""An archive is closed but for what its edges let in; judged on what it answers, not by its configuration."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from lab.verify.hardening.declare import Sabotage, has_role, promise
from lab.verify.hardening.facts import program
from lab.verify.hardening.sabotages import awaited

if TYPE_CHECKING:
    from collections.abc import Iterable

    from testinfra.host import Host

    from lab.verify.hardening.declare import Target
    from lab.verify.hardening.expect import Expect

ARCHIVE = has_role("orthanc")
CONFIG = "/etc/orthanc/pacslab.json"
ASKING = program("archive_questions")
SYSTEM = f"systemctl restart orthanc && {awaited('0.0.0.0', 8042)}"  # noqa: S104 # where Orthanc listens
OFF = {
    # what nobody needs: (question of archive_questions.py)
    "scripts": "lua scripts over REST",
    "webdav": "WebDAV",
    "explorer": "the explorer",
    "wado-uri": "WADO-URI",
    "plugins-explorer": "pages of plugins",
    "shutdown-get": "shutdown by GET",
}
MEMORY = (
    'for p in /proc/[0-9]*; do [ "$(cat $p/comm 2>/dev/null)" = Orthanc ] &&'
    " runuser --user=image-manager -- head -n 1 $p/maps; done 2>&1"
)
CLOSED = {"403", "404", "405"}
SETTINGS: dict[str, Any] = {
    "RemoteAccessAllowed": False, "AuthenticationEnabled": True, "OrthancExplorerEnabled": False,
    "WebDavEnabled": False,
    "ExecuteLuaEnabled": False, "LuaScripts": [], "RestApiWriteToFileSystemEnabled": False, "DicomCheckCalledAet": True,
    "DicomCheckModalityHost": True, "DicomAlwaysAllowEcho": False, "DicomAlwaysAllowStore": False,
    "DicomAlwaysAllowFind": False, "DicomAlwaysAllowFindWorklist": False, "DicomAlwaysAllowGet": False,
    "DicomAlwaysAllowMove": False, "UnknownSopClassAccepted": False, "OverwriteInstances": False,
    "SyncStorageArea": True, "StoreMD5ForAttachments": True, "OrthancPeersInDatabase": False,
    "DicomModalitiesInDatabase": False, "HttpsVerifyPeers": True, "DeidentifyLogs": True, "HttpDescribeErrors": False,
    "TranscodeDicomProtocol": False, "BuiltinDecoderTranscoderOrder": "Disabled",
    "PythonScript": "/usr/local/lib/pacslab/ingest/guard.py",
}  # fmt: skip


def edited(old: str, new: str) -> Sabotage:
    return Sabotage(
        f"cp -a {CONFIG} /run/orthanc.kept && sed -i 's/{old}/{new}/' {CONFIG} && {SYSTEM}",
        f"cp -a /run/orthanc.kept {CONFIG}; {SYSTEM}",
        also=("hardening.archives.*", "hardening.sockets.*"),
    )


def answers(host: Host) -> dict[str, str]:
    found: dict[str, str] = json.loads(host.check_output(ASKING))
    return found


def callers(target: Target) -> Iterable[tuple[str, tuple[str, set[str]]]]:
    """Who may ask the archive over DICOM, and what."""
    return [
        (f"{flow.source}", (flow.source, set(flow.permits)))
        for flow in target.site.flows_in(target.host)
        if flow.service == "dicom-tls"
    ]


@promise(
    "hardening.archives.password",
    "The REST interface answers nobody without its own password, not even on the host itself.",
    remedy="Restore /etc/orthanc/pacslab.json: `pacslab up --again`.",
    where=ARCHIVE,
    reads=(ASKING,),
    sabotage=edited('"AuthenticationEnabled": true', '"AuthenticationEnabled": false'),
)
def test_the_rest_interface_wants_a_password(host: Host, expect: Expect) -> None:
    found = answers(host)
    expect.equal("401", found["no-password"], "without a password")
    expect.equal("401", found["shipped-password"], "with the password that Orthanc ships")
    expect.equal("200", found["password"], "with its own password")


@promise(
    "hardening.archives.off",
    "What nobody needs is off.",
    remedy="Restore /etc/orthanc/pacslab.json: `pacslab up --again`.",
    where=ARCHIVE,
    each=lambda _: [(words, name) for name, words in OFF.items()],
    reads=(ASKING,),
    sabotage=edited('"ExecuteLuaEnabled": false', '"ExecuteLuaEnabled": true'),
)
def test_what_nobody_needs_is_off(host: Host, subject: str, expect: Expect) -> None:
    found = answers(host)[subject]
    expect.that(found in CLOSED, " or ".join(sorted(CLOSED)), found)


@promise(
    "hardening.archives.from-outside",
    "The REST interface and the plain DICOM port answer the host itself alone.",
    remedy="Restore RemoteAccessAllowed and the host's packet filter.",
    where=ARCHIVE,
    reads=(ASKING,),
    sabotage=edited('"RemoteAccessAllowed": false', '"RemoteAccessAllowed": true'),
)
def test_others_are_not_answered(host: Host, expect: Expect) -> None:
    found = answers(host)["own-address"]
    expect.that(found in {"401", "403", "closed"}, "a refusal, with the right password too", found)


@promise(
    "hardening.archives.settings",
    "Every setting of the archive that opens a way in, or could lose an image, is the safe one.",
    remedy="Restore /etc/orthanc/pacslab.json: `pacslab up --again`.",
    where=ARCHIVE,
    each=lambda _: [(name, (name, value)) for name, value in SETTINGS.items()],
    reads=(f"cat -- {CONFIG}",),
    sabotage=Sabotage(
        f"cp -a {CONFIG} /run/orthanc.kept && sed -i '/DicomAlwaysAllowStore/s/false/true/' {CONFIG}",
        f"cp -a /run/orthanc.kept {CONFIG}",
        on=lambda target: target.value[0] == "DicomAlwaysAllowStore",
    ),
)
def test_every_setting_is_safe(host: Host, subject: tuple[str, Any], expect: Expect) -> None:
    found = json.loads(host.file(CONFIG).content_string)
    expect.equal(subject[1], found.get(subject[0], "nothing"), subject[0])


@promise(
    "hardening.archives.callers",
    "Each caller may ask over DICOM what its flow permits, and nothing more.",
    remedy="Restore /etc/orthanc/pacslab.json: `pacslab up --again`.",
    where=ARCHIVE,
    each=callers,
    reads=(f"cat -- {CONFIG}",),
    sabotage=Sabotage(
        f'cp -a {CONFIG} /run/orthanc.kept && sed -i \'s/"AllowMove": false/"AllowMove": true/\' {CONFIG}',
        f"cp -a /run/orthanc.kept {CONFIG}",
    ),
)
def test_callers_may_ask_what_their_flow_permits(
    host: Host, target: Target, subject: tuple[str, set[str]], expect: Expect
) -> None:
    name, permits = subject
    entries = json.loads(host.file(CONFIG).content_string)["DicomModalities"].values()
    titles = {entry["AET"]: entry for entry in entries}
    entry = titles.get(str(target.site.hosts[name].ae_title))
    expect.that(entry is not None, "an entry of the caller", "none")
    given = {
        words: bool((entry or {}).get(key))
        for key, words in {
            "AllowStore": "C-STORE",
            "AllowFind": "C-FIND",
            "AllowGet": "C-GET",
            "AllowMove": "C-MOVE",
            "AllowFindWorklist": "MWL",
        }.items()
    }
    # A rejection note is a key object that is stored (IHE RAD-66); that nothing else is, the archive's gate sees to.
    stored = {"C-STORE"} if "REJECTION" in permits else set()
    expect.only(permits | stored, [words for words, allowed in given.items() if allowed], "operations")


@promise(
    "hardening.archives.known",
    "The archive knows no DICOM caller but those of the flows.",
    remedy="Restore /etc/orthanc/pacslab.json: `pacslab up --again`.",
    where=ARCHIVE,
    reads=(f"cat -- {CONFIG}",),
    sabotage=Sabotage(
        f'cp -a {CONFIG} /run/orthanc.kept && sed -i \'s/"AET": "/"AET": "X/\' {CONFIG}',
        f"cp -a /run/orthanc.kept {CONFIG}",
        also=("hardening.archives.callers",),
    ),
)
def test_there_is_no_caller_but_those_of_the_flows(host: Host, target: Target, expect: Expect) -> None:
    site = target.site
    flows = [
        flow for flow in (*site.flows_in(target.host), *site.flows_out(target.host)) if flow.service == "dicom-tls"
    ]
    peers = {
        str(site.hosts[end].ae_title) for flow in flows for end in (flow.source, flow.target) if end != target.host
    }
    entries = json.loads(host.file(CONFIG).content_string)["DicomModalities"].values()
    expect.only(peers, [entry["AET"] for entry in entries], "callers")


@promise(
    "hardening.archives.images-closed",
    "The program that manages images can read neither the edge's key nor the archive's password file.",
    remedy="`chown` and `chmod` the files back: `pacslab up --again`.",
    where=has_role("image_manager"),
    each=lambda _: [
        (path, path)
        for path in (
            "/etc/pacslab/tls/dicom.key",
            "/etc/pacslab/tls/database.key",
            "/etc/orthanc/health.curl",
            "/etc/shadow",
        )
    ],
    sabotage=Sabotage(
        lambda target: f"stat -c %a {target.value} >/run/kept && chmod 0644 {target.value}",
        lambda target: f"chmod $(cat /run/kept) {target.value}",
        also=("hardening.certificates.closed-keys", "hardening.files.*"),
    ),
)
def test_the_image_manager_reads_no_others_secrets(host: Host, subject: str, expect: Expect) -> None:
    expect.that(host.file(subject).exists, "the file", "it is missing")
    done = host.run("runuser --user=image-manager -- cat %s", subject)
    expect.that(done.rc != 0 and "ermission denied" in done.stderr, "permission denied", done.stderr or "it was read")


@promise(
    "hardening.archives.memory-closed",
    "The program that manages images cannot look into a process of another account.",
    remedy="Restore kernel.yama.ptrace_scope, and run each service as an account of its own.",
    where=has_role("image_manager"),
    sabotage=Sabotage(
        "cp /bin/sleep /usr/local/bin/Orthanc && systemd-run --quiet --collect --unit=sabotage --uid=image-manager"
        " /usr/local/bin/Orthanc 600 && sleep 0.5",
        "systemctl stop sabotage.service; rm -f /usr/local/bin/Orthanc",
        also=("hardening.processes.*", "hardening.units.known"),
    ),
)
def test_the_image_manager_sees_no_others_memory(host: Host, expect: Expect) -> None:
    found = str(host.run(MEMORY).stdout).splitlines()
    expect.some(found, "processes of the archive")
    expect.none([line[:80] for line in found if "ermission denied" not in line], "readable memory maps")

"""Revocation lists that bring a trust anchor along, at the hosts that fetch them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.abuse.attempt import Parties, PartyMissingError, Tried
from lab.abuse.evidence import Evidence
from lab.abuse.failure import AttemptError, require
from lab.abuse.model import AbuseCase
from lab.abuse.weakening import Edit, EditedFiles

if TYPE_CHECKING:
    from lab.abuse.scene import Scene
    from lab.topology.site import Site

PUBLISHED, HELD = "/srv/pacslab/status/crl.pem", "/etc/pacslab/tls/crl.pem"
KEPT = "/run/pacslab-trial-crl.pem"
ANCHOR = (
    "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout /dev/null -days 9 -subj /CN=rogue"
)
SPOILT = f"cp {PUBLISHED} {KEPT} && {ANCHOR} 2>/dev/null >>{PUBLISHED}"
RESTORED = f"cat {KEPT} >{PUBLISHED} && rm {KEPT}"
FETCH = ("systemctl", "start", "pacslab-crl.service")
TRUSTED = f"""
import ssl
context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
context.load_verify_locations("{HELD}")
print(context.cert_store_stats()["x509"])
"""
FETCHER, READER = "/usr/local/lib/pacslab/crl-fetch", "/usr/local/lib/pacslab/pacslab_lists.py"


def publisher_and_fetcher(site: Site) -> Parties:
    """The host that publishes revocation lists, and another that fetches them.

    Raises:
        PartyMissingError: the site publishes none.
    """
    for flow in site.flows_to("certificate-status"):
        if flow.source != flow.target and not site.hosts[flow.source].gateway:
            return Parties(flow.target, flow.source)
    raise PartyMissingError("the site has no host that publishes revocation lists to another")


def _publish_an_anchor(scene: Scene) -> Tried:
    """Append the certificate of a CA that nobody knows to the published lists, and have the target fetch them.

    Raises:
        AttemptError: it was not published, or the lists were not put back.
    """
    source, target = scene.parties.source, scene.parties.target
    _must(scene, source, SPOILT)
    try:
        fetched = scene.hospital.run(target, FETCH)
    finally:
        _must(scene, source, RESTORED)
    taken = "took the file" if fetched.code == 0 else "refused the file"
    return Tried(fetched.code != 0, f"{target} {taken}", {})


def _trusted(scene: Scene, _: Tried) -> str:
    """Harm: whoever reads the target's file of lists as OpenSSL does has a trust anchor more."""
    target = scene.parties.target
    found = scene.hospital.run(target, ["python3", "-I", "-c", TRUSTED]).stdout.strip()
    return "" if found == "0" else f"{target} holds {found} trust anchor among its revocation lists"


def _fetches(scene: Scene, _: Tried) -> str:
    """Unharmed: the target holds what is published.

    Raises:
        NotAsPromised: it does not.
    """
    source, target = scene.parties.source, scene.parties.target
    scene.hospital.run(target, FETCH)
    published, held = (
        scene.hospital.run(host, ["cat", path]).stdout for host, path in ((source, PUBLISHED), (target, HELD))
    )
    require(bool(held) and held == published, f"afterwards {target} does not hold the lists that {source} publishes")
    return f"{target} holds the lists that {source} publishes"


def _must(scene: Scene, host: str, command: str) -> None:
    done = scene.hospital.run(host, ["sh", "-c", command])
    if done.code != 0:
        raise AttemptError(
            f"{host}: {command} ended with {done.code}: {done.stderr.strip()[-300:]}",
            remedy=f"See `pacslab exec {host} -- ls -l {PUBLISHED}`.",
        )


CASES = (
    AbuseCase(
        "abuse.trust-anchor-among-lists",
        "Trust: a certificate authority of one's own among the revocation lists that are published",
        parties=publisher_and_fetcher,
        attempt=_publish_an_anchor,
        evidence=lambda scene: Evidence(scene.parties.target, "not-a-list"),
        harm=_trusted,
        unharmed=_fetches,
        control="hosts parse, verify and encode revocation lists again, and any other octet refuses the file",
        weakenings=(
            EditedFiles(
                "hosts look at the lists in the file alone, and write down all of it",
                (
                    Edit(READER, r"(if block is None:\n +)raise RefusedError\(.*\)$", r"\1break"),
                    Edit(READER, r"if encode\(lists\) != text:", "if not lists:"),
                    Edit(FETCHER, r"^( +)replace\(lists\)$", r"\1globals().update(fetched=text); replace(lists)"),
                    Edit(FETCHER, r"draft\.write_bytes\(encode\(lists\)\)", "draft.write_bytes(fetched)"),
                ),
                effect=FETCH,
            ),
        ),
    ),
)

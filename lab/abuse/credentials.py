"""Credentials that must be refused: made or borrowed, put on a host for one attempt, and removed again."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from lab.abuse.failure import AttemptError
from lab.abuse.parties import certificate_of
from lab.events import Bus
from lab.trust import pki_folder, revoke
from lab.trust.pki import site_wanted
from lab.trust.session import session
from lab.trust.store import leaf_file, load_authority
from lab.trust.untrusted_certificates import Bundle

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lab.abuse.scene import Scene

FOLDER = "/run/pacslab-misuse"
REVOKED = "attempt"
"""The name that the certificate to be revoked has in the PKI; its files are removed again, its entry stays in the index
as revoked."""
TAKEN_WITHIN = 30
"""Seconds in which a target's edge has to work with a new revocation list once it is told to fetch it."""


def held(scene: Scene, host: str, profile: str) -> Bundle:
    """A good certificate that a host of the lab holds, for use where it does not belong."""
    pki, name = pki_folder(scene.lab.folder), certificate_of(scene.site, host, profile)
    key, certificate = (leaf_file(pki, host, name, suffix).read_bytes() for suffix in ("key", "crt"))
    return Bundle(key, certificate, b"")  # the .crt holds its CA already


@contextmanager
def placed(scene: Scene, host: str, bundle: Bundle) -> Iterator[list[str]]:
    """Put a key and its certificates on a host; yields the arguments that name them to ``pacslab-misuse``.

    The command gives up root, so the files belong to the user whose programs open the host's own connections.

    Raises:
        AttemptError: the files could not be handed over, or not removed again.
    """
    folder = f"{FOLDER}/{scene.token}"  # attempts of several cases may be made on one host at a time
    certificate, key = f"{folder}/attempt.crt", f"{folder}/attempt.key"
    try:
        scene.lab.write(host, certificate, bundle.certificate + bundle.authority, mode=0o600)
        scene.lab.write(host, key, bundle.key, mode=0o600)
        owners = [entry.owner for entry in scene.site.opening_certificates(host).values() if entry.owner != "root"]
        _must(scene, host, ["chown", "-R", owners[0] if owners else "root", FOLDER])
        yield ["--certificate", certificate, "--key", key]
    finally:
        _must(
            scene,
            host,
            ["sh", "-c", 'rm -rf "$1/$2" && rmdir --ignore-fail-on-non-empty "$1"', "sh", FOLDER, scene.token],
        )


def revoked(scene: Scene, profile: str, before: Callable[[Scene, list[str]], str]) -> Bundle:
    """Issue the source a good certificate, see that it works, revoke it, and see that the target holds the new list.

    ``before`` makes the attempt while it is good, and says why it was refused, if it was.

    Raises:
        AttemptError: it never worked, or the list was not published or not taken.
    """
    lab, host, target = scene.lab, scene.parties.source, scene.parties.target
    pki = pki_folder(lab.folder)
    with session(pki) as change:
        change.issue(load_authority(pki, "issuing"), host, REVOKED, site_wanted(lab.site, host, profile))
    files = {suffix: leaf_file(pki, host, REVOKED, suffix) for suffix in ("key", "crt", "pem")}
    bundle = Bundle(files["key"].read_bytes(), files["crt"].read_bytes(), b"")
    try:
        with placed(scene, host, bundle) as presenting:
            refused = before(scene, presenting)
        if refused:
            raise AttemptError(
                f"The certificate does not work even before it is revoked: {refused}",
                remedy="Revocation cannot be tried until a fresh certificate is taken: see the target's log.",
            )
        revoke(lab.folder, host, REVOKED)
    finally:
        for path in files.values():
            path.unlink(missing_ok=True)
    publish(scene, target)
    return bundle


def publish(scene: Scene, target: str) -> None:
    """Bring the revocation lists to the host that publishes them, and have the target fetch them now, not in a minute.

    Raises:
        AttemptError: the target does not hold the list, or its edge does not work with it.
    """
    from lab.operate.configure import configure  # noqa: PLC0415 # Ansible is slow to import

    site = scene.lab.site
    publishers = list(dict.fromkeys(flow.target for flow in site.flows_to("certificate-status")))
    configure(scene.lab, site, publishers, Bus())
    _must(scene, target, ["systemctl", "start", "pacslab-crl.service"])
    taken = scene.hospital.run(target, ["cat", "/etc/pacslab/tls/crl.pem"]).stdout
    published = (pki_folder(scene.lab.folder) / "crl.pem").read_text("ascii")
    settled = 'test -z "$(systemctl list-jobs --no-legend)" && systemctl is-active --quiet haproxy.service'
    works = scene.eventually(
        lambda: scene.hospital.run(target, ["sh", "-c", settled]).code == 0,
        timeout=TAKEN_WITHIN,
    )
    if taken != published or not works:
        raise AttemptError(
            f"{target} does not hold the revocation list that was published, or does not work with it.",
            remedy=f"See `pacslab exec {target} -- journalctl -u pacslab-crl -u haproxy`.",
        )


def _must(scene: Scene, host: str, argv: list[str]) -> None:
    done = scene.hospital.run(host, argv)
    if done.code != 0:
        raise AttemptError(
            f"{host}: {' '.join(argv)} ended with {done.code}: {done.stderr.strip()}",
            remedy=f"See `pacslab exec {host} --lab {scene.lab.name} -- ls -l {FOLDER}`.",
        )

"""Attempts over SSH: on the host that administrators come from, with its own client and a key that is put there."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from lab.abuse.attempt import Parties, PartyMissingError, Tried
from lab.abuse.failure import AttemptError, require
from lab.abuse.weakening import Edit, EditedFiles
from lab.trust.envelope import ACCOUNT
from lab.trust.ssh import REVOKED, USERS, give, load_ssh_authority, revoke_ssh
from lab.trust.ssh_authority import Grant, SshAuthority, new_key, private_key
from lab.trust.store import pki_folder

if TYPE_CHECKING:
    from collections.abc import Callable

    from lab.abuse.scene import Scene
    from lab.topology.site import ResolvedFlow, Site

FOLDER = "/var/tmp/pacslab-misuse"  # noqa: S108 # of a host of a clone
"""What answers for a password is a program, which /run would not let run."""
CONFIG = "/etc/ssh/sshd_config"
LIST = "/etc/ssh/revoked"
FORMER = f"{ACCOUNT}-{'0' * 32}"
"""What an envelope may have had before it was sealed again; the same each time, so that a trial can have it taken."""
FOREIGN = SshAuthority(Ed25519PrivateKey.from_private_bytes(b"an authority that no site trusts"), "foreign")
"""Known to everybody who reads this; it is the same each time, so that a trial can have a host trust it."""
LIFETIME = timedelta(minutes=10)
LET_IN_WITHIN = 30.0
"""Seconds that a client may take for a connection, a command and its end."""
NOT_LET_IN = 255
"""What OpenSSH's client ends with when it was not let in (ssh(1), EXIT STATUS)."""
SCRIPT = r"""
cd "$1" && shift && umask 077 && printf '#!/bin/sh\necho %s\n' "$PASSWORD" >ask && chmod 700 ask
exec env SSH_ASKPASS="$PWD/ask" SSH_ASKPASS_REQUIRE=force ssh -F none -i key -o CertificateFile=key-cert.pub \
    -o IdentitiesOnly=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR \
    -o ConnectTimeout=10 -o NumberOfPasswordPrompts=1 "$@" </dev/null
"""


@dataclass(frozen=True)
class Credential:
    """A key, and what its owner shows of it, as OpenSSH writes both; the certificate may be none."""

    key: bytes
    certificate: bytes


@dataclass(frozen=True)
class ComeIn:
    """An attempt to run a command on the target, or whatever else the client is asked for.

    Attributes:
        credential: Makes what is shown; made once for both halves.
        account: As whom; empty for the account that administrators come in as.
        words: Further words for the client.
        command: What to run there.
        password: What to answer when a password is asked for.
    """

    credential: Callable[[Scene], Credential] = field(repr=False)
    account: str = ""
    words: tuple[str, ...] = ()
    command: tuple[str, ...] = ("id", "-un")
    password: str = ""

    def __call__(self, scene: Scene) -> Tried:
        """Try it.

        Raises:
            AttemptError: the source has no client, or did not take the key.
        """
        shown = scene.once("credential", lambda: self.credential(scene))
        return come_in(scene, shown, self)


def come_in(scene: Scene, shown: Credential, attempt: ComeIn) -> Tried:
    """Make an attempt with a credential.

    Raises:
        AttemptError: the source has no client, or the client could not be run.
    """
    source, flow = scene.parties.source, administration(scene)
    folder = f"{FOLDER}/{scene.token}"
    account = attempt.account or account_of(scene)
    words = [*attempt.words, "-p", str(flow.port), f"{account}@{scene.site.hosts[flow.target].address}"]
    argv = ["env", f"PASSWORD={attempt.password}", "sh", "-c", SCRIPT, "sh", folder, *words, *attempt.command]
    try:
        scene.lab.write(source, f"{folder}/key", shown.key, mode=0o600)
        scene.lab.write(source, f"{folder}/key-cert.pub", shown.certificate, mode=0o600)
        done = scene.hospital.run(source, argv, timeout=LET_IN_WITHIN)
    finally:
        scene.hospital.run(source, ["sh", "-c", f"rm -rf {folder}; rmdir --ignore-fail-on-non-empty {FOLDER}"])
    if done.code in {126, 127}:
        raise AttemptError(f"{source} has no SSH client: {done.stderr.strip()}", remedy="Install openssh-client there.")
    said = (done.stderr.strip().splitlines() or [done.stdout.strip() or f"code {done.code}"])[-1]
    return Tried(done.code == NOT_LET_IN, said, {"answer": done.stdout.strip()})


def administration(scene: Scene) -> ResolvedFlow:
    """The flow by which the source administers the target."""
    parties = scene.parties
    return next(
        flow
        for flow in scene.site.flows_to("administration")
        if (flow.source, flow.target) == (parties.source, parties.target)
    )


def account_of(scene: Scene) -> str:
    """The account of the target that an administrator comes in as."""
    return account_at(scene.site, scene.parties.target)


def account_at(site: Site, host: str) -> str:
    """The account of a host that an administrator comes in as: the person's own, where administrators sign in."""
    shared = next(entry.account for entry in site.services(host).values() if entry.account)
    return site.administrators[0] if site.administrators else shared


def administrator_at_host(site: Site) -> Parties:
    """The host that administrators come from, and another that it may reach and that sends its log.

    Raises:
        PartyMissingError: the site has no such two.
    """
    senders = {flow.source for flow in site.flows_to("log-collection")}
    for flow in site.flows_to("administration"):
        ours = {flow.source, flow.target} <= site.managed.keys()
        if ours and flow.target in senders and not site.hosts[flow.target].gateway:
            return Parties(flow.source, flow.target)
    raise PartyMissingError("the site lets nobody administer a host that sends its log")


def administrator_who_signs_in(site: Site) -> Parties:
    """The same two, where administrators sign in before they come.

    Raises:
        PartyMissingError: the site has no such two, or nobody signs in.
    """
    if not site.administrators:
        raise PartyMissingError("the site's administrators do not sign in, so that nobody needs a sealed envelope")
    return administrator_at_host(site)


def grant(scene: Scene, *principals: str, source: str = "", lifetime: timedelta = LIFETIME) -> Grant:
    """What an administrator would be granted, but for what is said."""
    address = source or str(scene.site.address_towards(scene.parties.source, scene.parties.target))
    return Grant("trial", f"attempt {scene.token}", principals or (account_of(scene),), (address,), lifetime)


def good(scene: Scene) -> Credential:
    """A certificate as an administrator is given it."""
    return given(scene, grant(scene))


def given(scene: Scene, wish: Grant, now: datetime | None = None) -> Credential:
    """A certificate of the lab's own authority for what is wished, given at some other time where that is said."""
    key = new_key()
    certificate, _ = give(pki_folder(scene.lab.folder), key.public_key(), wish, now)
    return Credential(private_key(key), certificate)


def foreign(scene: Scene) -> Credential:
    """What an administrator is given, from an authority that the site does not know."""
    key = new_key()
    certificate = FOREIGN.user_certificate(key.public_key(), grant(scene), 1, datetime.now(UTC))
    return Credential(private_key(key), certificate + b"\n")


def forwarding(scene: Scene) -> Credential:
    """What an administrator is given, and the permission to forward besides."""
    key = new_key()
    authority = load_ssh_authority(pki_folder(scene.lab.folder), USERS)
    certificate = authority.user_certificate(
        key.public_key(), grant(scene), 1, datetime.now(UTC), extensions=(b"permit-port-forwarding",)
    )
    return Credential(private_key(key), certificate + b"\n")


def revoked(scene: Scene) -> Credential:
    """A certificate that let its owner in until it was revoked, and whose number the target has in its list.

    Raises:
        AttemptError: it did not let them in before.
    """
    pki, key = pki_folder(scene.lab.folder), new_key()
    certificate, entry = give(pki, key.public_key(), grant(scene))
    shown = Credential(private_key(key), certificate)
    before = come_in(scene, shown, ComeIn(good))
    if before.refused:
        raise AttemptError(
            f"The certificate does not let in even before it is revoked: {before.detail}",
            remedy="Revocation cannot be tried until a fresh certificate is taken: see the target's log.",
        )
    revoke_ssh(pki, entry.serial)
    scene.lab.write(scene.parties.target, LIST, (pki / REVOKED).read_bytes())
    return shown


def is_in(account: str = "") -> Callable[[Scene, Tried], str]:
    """Harm: a command was run as that account; without one, as administrators come in."""

    def harm(scene: Scene, tried: Tried) -> str:
        who = account or account_of(scene)
        return f"{scene.parties.target} ran a command for them as {who}" if tried.facts["answer"] == who else ""

    return harm


def lets_administrators_in(scene: Scene, _: Tried) -> str:
    """Unharmed: who holds a good certificate is let in.

    Raises:
        NotAsPromised: they are not.
    """
    tried = come_in(scene, good(scene), ComeIn(good))
    require(not tried.refused, f"afterwards {scene.parties.target} lets no administrator in: {tried.detail}")
    return f"{scene.parties.target} still lets administrators in"


def sshd(text: str, *edits: tuple[str, str]) -> EditedFiles:
    """Lines of sshd's configuration are replaced; each connection reads it again."""
    return EditedFiles(
        text,
        tuple(Edit(CONFIG, rf"^{old}$", new) for old, new in edits),
        effect=("systemctl", "is-active", "--quiet", "ssh.socket"),
        check=("/usr/sbin/sshd", "-t"),
    )

"""Administrators who come without what lets them in, or who ask for more than a session."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from lab.abuse import ssh
from lab.abuse.evidence import Evidence
from lab.abuse.model import AbuseCase
from lab.abuse.ssh import ComeIn
from lab.abuse.weakening import must, on_target, undoing
from lab.trust.envelope import ACCOUNT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lab.abuse.attempt import Parties, Tried
    from lab.abuse.scene import Scene
    from lab.engine.lab import Lab
    from lab.topology.site import Site

PASSWORD = "radiology"  # noqa: S105 # one that is guessed
USERMOD = 'usermod --password "$(openssl passwd -5 "$2")" "$1"'
STRANGER = "visitor"
SHARED = "administrator"
"""The account that administrators come in as where they do not sign in."""
BANNER = "SSH-2.0"


def _logged(*words: str) -> Callable[[Scene], Evidence]:
    """The target's line with these words, and the address that the source comes from where they ask for it."""

    def evidence(scene: Scene) -> Evidence:
        address = str(scene.site.address_towards(scene.parties.source, scene.parties.target))
        said = tuple(word.format(address=address, account=ssh.account_of(scene)) for word in words)
        return Evidence(scene.parties.target, words=said)

    return evidence


def _asking(setting: str, answer: str) -> str:
    """Lines by which sshd asks a command, which answers always the same."""
    return f"{setting}User nobody\n{setting} /usr/bin/echo {answer}"


def _led_on(scene: Scene, tried: Tried) -> str:
    """Harm: something that listens on the target's loopback answered."""
    answer = str(tried.facts["answer"])
    return f"{scene.parties.target} led on to its loopback: {answer}" if answer.startswith(BANNER) else ""


@dataclass(frozen=True)
class GuessedPassword:
    """The account that administrators come in as gets a password that can be guessed, and has none afterwards.

    Attributes:
        text: In one line for the table of cases.
    """

    text: str = "the account has a password that can be guessed"

    def host(self, site: Site, parties: Parties) -> str:
        """Where it is switched off."""
        return on_target(site, parties)

    @contextmanager
    def applied(self, lab: Lab, parties: Parties) -> Iterator[None]:
        """Set the password, and take it away at the end.

        Raises:
            WeakeningError: the host refused, or has it still.
        """
        host = self.host(lab.site, parties)
        account = ssh.account_at(lab.site, host)
        with undoing(lambda: must(lab, host, ["usermod", "--password", "*", account])):
            must(lab, host, ["sh", "-c", USERMOD, "sh", account, PASSWORD])
            yield


_CASE = partial(AbuseCase, parties=ssh.administrator_at_host, unharmed=ssh.lets_administrators_in)
_SIGNED_IN = partial(AbuseCase, parties=ssh.administrator_who_signs_in, unharmed=ssh.lets_administrators_in)

CASES = (
    _CASE(
        "abuse.ssh-foreign-authority",
        "SSH: an administrator's certificate from another authority",
        attempt=ComeIn(ssh.foreign),
        evidence=_logged("Failed publickey for {account} from {address}", f"CA ED25519 {ssh.FOREIGN.fingerprint()}"),
        harm=ssh.is_in(),
        control="hosts take certificates of the site's SSH authority alone",
        weakenings=(
            ssh.sshd(
                "the account lists the other authority as its own",
                (
                    "AuthorizedKeysFile none",
                    _asking("AuthorizedKeysCommand", f"cert-authority {ssh.FOREIGN.line()}"),
                ),
            ),
        ),
    ),
    _CASE(
        "abuse.ssh-other-principal",
        "SSH: a certificate that names somebody who is no administrator",
        attempt=ComeIn(lambda scene: ssh.given(scene, ssh.grant(scene, STRANGER))),
        evidence=_logged("Certificate does not contain an authorized principal"),
        harm=ssh.is_in(),
        control="hosts list the principals that may come in as administrators",
        weakenings=(
            ssh.sshd(
                "hosts list another principal",
                (
                    "AuthorizedPrincipalsFile .*",
                    _asking("AuthorizedPrincipalsCommand", STRANGER),
                ),
            ),
        ),
    ),
    _CASE(
        "abuse.ssh-revoked",
        "SSH: a certificate that was revoked",
        attempt=ComeIn(ssh.revoked),
        evidence=_logged(f"revoked by file {ssh.LIST}"),
        harm=ssh.is_in(),
        control="hosts refuse the certificates in their list of revoked ones",
        weakenings=(ssh.sshd("hosts look into no list", ("RevokedKeys .*", "RevokedKeys none")),),
    ),
    _SIGNED_IN(
        "abuse.ssh-envelope-before",
        "SSH: what was in the sealed envelope before it was sealed again",
        attempt=ComeIn(lambda scene: ssh.given(scene, ssh.grant(scene, ssh.FORMER)), account=ACCOUNT),
        evidence=_logged("Certificate does not contain an authorized principal"),
        harm=ssh.is_in(ACCOUNT),
        control="an envelope has another secret each time it is sealed, and hosts take the last one alone",
        weakenings=(
            ssh.sshd(
                "hosts take what an envelope had before, too",
                ("AuthorizedPrincipalsFile .*", _asking("AuthorizedPrincipalsCommand", ssh.FORMER)),
            ),
        ),
    ),
    _SIGNED_IN(
        "abuse.ssh-shared-account",
        "SSH: an administrator comes in by the account that all could share, and not by the own",
        attempt=ComeIn(lambda scene: ssh.given(scene, ssh.grant(scene, SHARED)), account=SHARED),
        evidence=_logged("Certificate does not contain an authorized principal"),
        harm=ssh.is_in(SHARED),
        control="where administrators sign in, nobody comes in but by an account of the own name",
        weakenings=(
            ssh.sshd(
                "hosts list the shared account as a principal",
                ("AuthorizedPrincipalsFile .*", _asking("AuthorizedPrincipalsCommand", SHARED)),
            ),
        ),
    ),
    _CASE(
        "abuse.ssh-root",
        "SSH: a certificate for root, from the site's own authority",
        attempt=ComeIn(lambda scene: ssh.given(scene, ssh.grant(scene, "root")), account="root"),
        evidence=_logged("User root from {address} not allowed"),
        harm=ssh.is_in("root"),
        control="root does not come in, and nobody who is not in the group of administrators",
        weakenings=(
            ssh.sshd(
                "root comes in like everybody else",
                ("PermitRootLogin no", "PermitRootLogin yes"),
                ("AllowGroups .*", "AllowGroups root"),
                ("AuthorizedPrincipalsFile .*", "AuthorizedPrincipalsFile none"),
            ),
        ),
    ),
    _CASE(
        "abuse.ssh-password",
        "SSH: a password that can be guessed",
        attempt=ComeIn(ssh.good, words=("-o", "PreferredAuthentications=password"), password=PASSWORD),
        evidence=_logged("closed by authenticating user {account} {address}", "[preauth]"),
        harm=ssh.is_in(),
        control="no account has a password, and SSH takes none",
        weakenings=(
            GuessedPassword(),
            ssh.sshd(
                "SSH takes passwords",
                ("PasswordAuthentication no", "PasswordAuthentication yes"),
                ("AuthenticationMethods publickey", "AuthenticationMethods any"),
            ),
        ),
    ),
    _CASE(
        "abuse.ssh-forwarding",
        "SSH: an administrator whose certificate would allow it is led on to what listens on the host's loopback",
        attempt=ComeIn(ssh.forwarding, words=("-W", "127.0.0.1:22"), command=()),
        evidence=_logged("refused local port forward"),
        harm=_led_on,
        control="hosts lead nobody on, whatever a certificate allows",
        weakenings=(
            ssh.sshd(
                "hosts forward",
                ("DisableForwarding yes", "DisableForwarding no"),
                ("AllowTcpForwarding no", "AllowTcpForwarding yes"),
            ),
        ),
    ),
)

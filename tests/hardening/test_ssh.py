"""SSH lets in administrators with a certificate of the site's authority, for a while and to nothing further."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from typing import TYPE_CHECKING

from lab.verify.hardening.allowed import administrators
from lab.verify.hardening.declare import Sabotage, has_role, promise
from lab.verify.hardening.sabotages import changed_file, changed_mode, drop_in

if TYPE_CHECKING:
    from collections.abc import Iterable

    from testinfra.host import Host

    from lab.verify.hardening.declare import Target
    from lab.verify.hardening.expect import Expect

CONFIG = "/etc/ssh/sshd_config"
EFFECTIVE = "mkdir -p /run/sshd && /usr/sbin/sshd -T"
"""What is in force, whichever file or default it comes from."""
SETTINGS = {
    "trustedusercakeys": "/etc/ssh/user-authority.pub",
    "authorizedprincipalsfile": "/etc/ssh/principals/%u",
    "authorizedprincipalscommand": "none",
    "authorizedkeysfile": "none",
    "authorizedkeyscommand": "none",
    "revokedkeys": "/etc/ssh/revoked",
    "hostcertificate": "/etc/ssh/host-cert.pub",
    "authenticationmethods": "publickey",
    "pubkeyauthentication": "yes",
    "passwordauthentication": "no",
    "kbdinteractiveauthentication": "no",
    "hostbasedauthentication": "no",
    "gssapiauthentication": "no",
    "permitemptypasswords": "no",
    "usepam": "no",
    "permitrootlogin": "no",
    "allowgroups": "administrators",
    "disableforwarding": "yes",
    "allowtcpforwarding": "no",
    "allowagentforwarding": "no",
    "allowstreamlocalforwarding": "no",
    "x11forwarding": "no",
    "permittunnel": "no",
    "gatewayports": "no",
    "permituserenvironment": "no",
    "permituserrc": "no",
    "strictmodes": "yes",
    "loglevel": "VERBOSE",
    "usedns": "no",
    "compression": "no",
}
ALGORITHMS = {
    "kexalgorithms": {"mlkem768x25519-sha256", "sntrup761x25519-sha512", "curve25519-sha256"},
    "ciphers": {"chacha20-poly1305@openssh.com", "aes256-gcm@openssh.com", "aes128-gcm@openssh.com"},
    "macs": {"hmac-sha2-512-etm@openssh.com", "hmac-sha2-256-etm@openssh.com"},
    "hostkeyalgorithms": {"ssh-ed25519-cert-v01@openssh.com"},
    "pubkeyacceptedalgorithms": {"ssh-ed25519-cert-v01@openssh.com", "sk-ssh-ed25519-cert-v01@openssh.com"},
    "casignaturealgorithms": {"ssh-ed25519"},
}
"""RFC 9142, with what came after it: no SHA-1, no CBC, no NIST curves, and no key without a certificate."""
BOUNDS = {
    "maxauthtries": 3,
    "logingracetime": 30,
    "clientaliveinterval": 60,
    "clientalivecountmax": 3,
    "maxsessions": 4,
}
LONGEST_IDLE = {"m": 15, "s": 900}
"""A quarter of an hour; units as sshd writes them."""
FILES = {
    CONFIG: "0644",
    "/etc/ssh/user-authority.pub": "0644",
    "/etc/ssh/revoked": "0644",
    "/etc/ssh/principals": "0755",
    "/etc/ssh/principals/administrator": "0644",
    "/etc/ssh/principals/emergency": "0640",
    "/etc/pacslab/administrators.json": "0644",
    "/usr/local/lib/pacslab/administrators-accounts": "0644",
    "/etc/systemd/system/ssh.socket": "0644",
    "/etc/systemd/system/ssh@.service": "0644",
    "/etc/sudoers.d/administrators": "0440",
}
HOST_CERTIFICATE = "TZ=UTC ssh-keygen -L -f /etc/ssh/host-cert.pub"
HOST_KEYS = "ssh-keygen -y -f /etc/ssh/host.key; ssh-keygen -l -f /etc/ssh/host-cert.pub"
SOCKET = "systemctl show --property=ActiveState,Accept,MaxConnections,MaxConnectionsPerSource ssh.socket"
DAEMON = "systemctl show --property=ActiveState,UnitFileState ssh.service"
SUDOERS = "cvtsudoers -f json /etc/sudoers"
SUDO = "sudo -V"
SERVER = has_role("ssh_server")
SEALED = re.compile("emergency-[0-9a-f]{32}")
"""What is in the envelope: 128 bits."""
ALSO = ("hardening.ssh.*",)


def effective(host: Host) -> dict[str, list[str]]:
    """The settings in force: each may stand several times."""
    found: dict[str, list[str]] = {}
    for line in str(host.check_output(EFFECTIVE)).splitlines():
        name, _, value = line.partition(" ")
        found.setdefault(name, []).append(value)
    return found


def settings(_: Target) -> Iterable[tuple[str, tuple[str, str]]]:
    return [(name, (name, value)) for name, value in SETTINGS.items()]


def set_to(name: str, value: str) -> str:
    """A script that gives a setting another value."""
    return f"sed -i '/^{name} /Id' $FILE && printf '{name} {value}\\n' >>$FILE"


@promise(
    "hardening.ssh.settings",
    "SSH takes certificates of the site's authority alone, from administrators alone, and leads nowhere else.",
    remedy=f"Restore {CONFIG} from its role.",
    where=SERVER,
    each=settings,
    reads=(EFFECTIVE,),
    sabotage=changed_file(
        CONFIG,
        set_to("PermitRootLogin", "yes"),
        on=lambda target: target.value[0] == "permitrootlogin",
    ),
)
def test_ssh_is_set_as_it_should_be(host: Host, subject: tuple[str, str], expect: Expect) -> None:
    name, value = subject
    expect.equal([value], effective(host).get(name, ["none"]), name)


@promise(
    "hardening.ssh.algorithms",
    "SSH speaks with current algorithms alone, and takes no key without a certificate.",
    remedy=f"Restore {CONFIG} from its role.",
    where=SERVER,
    each=lambda _: [(name, (name, known)) for name, known in ALGORITHMS.items()],
    reads=(EFFECTIVE,),
    sabotage=changed_file(CONFIG, set_to("Ciphers", "+aes128-cbc"), on=lambda target: target.value[0] == "ciphers"),
)
def test_algorithms_are_current(host: Host, subject: tuple[str, set[str]], expect: Expect) -> None:
    name, known = subject
    expect.only(known, ",".join(effective(host).get(name, ["none"])).split(","), name)


@promise(
    "hardening.ssh.bounds",
    "Who does not prove quickly who they are, or is no longer there, is disconnected.",
    remedy=f"Restore {CONFIG} from its role.",
    where=SERVER,
    each=lambda _: [(name, (name, most)) for name, most in BOUNDS.items()],
    reads=(EFFECTIVE,),
    sabotage=changed_file(CONFIG, set_to("MaxAuthTries", "6"), on=lambda target: target.value[0] == "maxauthtries"),
)
def test_attempts_are_bounded(host: Host, subject: tuple[str, int], expect: Expect) -> None:
    name, most = subject
    value = effective(host).get(name, ["none"])[0]
    expect.that(value.isdigit() and 0 < int(value) <= most, f"{name} of 1 to {most}", value)


@promise(
    "hardening.ssh.idle",
    "A session in which nothing happens ends within a quarter of an hour, whatever its shell says.",
    remedy=f"Restore ChannelTimeout in {CONFIG}.",
    where=SERVER,
    reads=(EFFECTIVE,),
    sabotage=changed_file(CONFIG, "sed -i '/^ChannelTimeout /d' $FILE"),
)
def test_idle_sessions_end(host: Host, expect: Expect) -> None:
    value = effective(host).get("channeltimeout", ["none"])[0]
    kind, _, limit = value.partition("=")
    number, unit = limit.rstrip("ms"), limit.lstrip("0123456789") or "s"
    ends = kind == "session:*" and number.isdigit() and 0 < int(number) <= LONGEST_IDLE.get(unit, 0)
    expect.that(ends, "session:*=15m at most", value)


@promise(
    "hardening.ssh.no-daemon",
    "While nobody is there no SSH server runs: systemd listens, and bounds the connections.",
    remedy="`systemctl disable --now ssh.service`; restore ssh.socket from its role, and enable it.",
    where=SERVER,
    reads=(SOCKET, DAEMON),
    sabotage=drop_in("ssh.socket", "[Socket]", "MaxConnectionsPerSource=0"),
)
def test_no_daemon_waits_for_ssh(host: Host, expect: Expect) -> None:
    socket, daemon = properties(host, SOCKET), properties(host, DAEMON)
    expect.equal(("active", "yes"), (socket["ActiveState"], socket["Accept"]), "ssh.socket (state, Accept)")
    for limit in ("MaxConnections", "MaxConnectionsPerSource"):
        expect.that(0 < int(socket[limit]) <= 64, f"{limit} of 64 at most", socket[limit])
    expect.equal("inactive", daemon["ActiveState"], "ssh.service")
    expect.that(daemon["UnitFileState"] != "enabled", "ssh.service not enabled", daemon["UnitFileState"])


def properties(host: Host, command: str) -> dict[str, str]:
    return dict(line.partition("=")[::2] for line in str(host.check_output(command)).splitlines())


@promise(
    "hardening.ssh.files",
    "What decides who may come in is root's, and writable for nobody else.",
    remedy="`chown root:root` and `chmod` it back.",
    where=SERVER,
    each=lambda _: [(path, (path, int(mode, 8))) for path, mode in FILES.items()],
    sabotage=changed_mode(
        lambda target: target.subject, "g+w", on=lambda target: target.subject == "/etc/ssh/principals/administrator"
    ),
)
def test_files_of_ssh_are_roots(host: Host, subject: tuple[str, int], expect: Expect) -> None:
    path, most = subject
    found = host.file(path)
    expect.equal("root", found.user, "owner")
    expect.mode_at_most(most, found.mode)


@promise(
    "hardening.ssh.authority",
    "The host takes people's certificates from one authority.",
    remedy="Configure the host again: `pacslab up --again`.",
    where=SERVER,
    sabotage=changed_file(
        "/etc/ssh/user-authority.pub",
        "ssh-keygen -q -t ed25519 -N '' -f /run/foreign && cat /run/foreign.pub >>$FILE; rm -f /run/foreign*",
    ),
)
def test_there_is_one_authority(host: Host, expect: Expect) -> None:
    lines = str(host.file("/etc/ssh/user-authority.pub").content_string).splitlines()
    keys = [line.split()[0] for line in lines if line.strip() and not line.startswith("#")]
    expect.equal(["ssh-ed25519"], keys, "authorities")


@promise(
    "hardening.ssh.accounts",
    "Principals are listed for administrators alone: nobody comes in as a service, and nobody by another's name.",
    remedy="Remove the file of the account; `pacslab up --again` writes what is missing.",
    where=SERVER,
    sabotage=Sabotage(
        "cp -a /etc/ssh/principals/administrator /etc/ssh/principals/games", "rm -f /etc/ssh/principals/games"
    ),
)
def test_principals_are_listed_for_administrators_alone(host: Host, target: Target, expect: Expect) -> None:
    people = administrators(target)
    names = sorted(host.file("/etc/ssh/principals").listdir())
    expect.equal(sorted(["administrator", "emergency", *people]), names, "accounts with principals")
    for name in people:
        expect.equal([name], principals(host, name), f"principals of {name}")


def principals(host: Host, account: str) -> list[str]:
    """Who may come in as an account."""
    text = str(host.file(f"/etc/ssh/principals/{account}").content_string)
    return [line for line in text.splitlines() if line.strip() and not line.startswith("#")]


@promise(
    "hardening.ssh.own-accounts",
    "Where administrators sign in, each has an account of the own: the one that all could share lets nobody in.",
    remedy="Restore /etc/ssh/principals/administrator from its role.",
    where=lambda target: SERVER(target) and bool(administrators(target)),
    sabotage=changed_file("/etc/ssh/principals/administrator", "echo administrator >>$FILE"),
)
def test_nobody_comes_in_by_an_account_that_is_shared(host: Host, expect: Expect) -> None:
    expect.none(principals(host, "administrator"), "who may come in as administrator")


@promise(
    "hardening.ssh.envelope",
    "Into the account for emergencies leads what is in the sealed envelope, and nothing that could be guessed.",
    remedy="`pacslab ssh --reseal` brings what is sealed.",
    where=SERVER,
    sabotage=changed_file("/etc/ssh/principals/emergency", "echo emergency >>$FILE"),
)
def test_the_account_for_emergencies_takes_what_is_sealed_alone(host: Host, target: Target, expect: Expect) -> None:
    found = principals(host, "emergency")
    expect.equal(1 if administrators(target) else 0, len(found), "principals of emergency")
    expect.none([name for name in found if not SEALED.fullmatch(name)], "principals that could be guessed")


@promise(
    "hardening.ssh.host-certificate",
    "The host proves itself with a certificate of its own names, which belongs to its key.",
    remedy="`pacslab up --again` brings it.",
    where=SERVER,
    reads=(HOST_CERTIFICATE, HOST_KEYS),
    sabotage=Sabotage(
        "cp -a /etc/ssh/host.key /run/kept && ssh-keygen -q -t ed25519 -N '' -f /run/other &&"
        " cat /run/other >/etc/ssh/host.key; rm -f /run/other /run/other.pub",
        "cat /run/kept >/etc/ssh/host.key; rm -f /run/kept",
        also=ALSO,
    ),
)
def test_the_host_proves_itself(host: Host, target: Target, expect: Expect) -> None:
    said = str(host.check_output(HOST_CERTIFICATE))
    expect.that("host certificate" in said, "a certificate for hosts", said.splitlines()[1].strip())
    names = said.partition("Principals:")[2].partition("Critical")[0].split()
    expect.equal(
        [target.site.fqdn(target.host), target.host, str(target.entry.address)], names, "names in the certificate"
    )
    public, certified = str(host.check_output(HOST_KEYS)).splitlines()[:2]
    expect.equal(fingerprint(public), certified.split()[1], "key of the certificate")


def fingerprint(public: str) -> str:
    """Of a public key, as ssh-keygen writes it (RFC 4648 without padding)."""
    digest = hashlib.sha256(base64.b64decode(public.split()[1])).digest()
    return "SHA256:" + base64.b64encode(digest).decode().rstrip("=")


@promise(
    "hardening.ssh.sudo",
    "Administrators alone become root with sudo.",
    remedy="Remove the line from /etc/sudoers or its folder.",
    where=SERVER,
    reads=(SUDOERS,),
    sabotage=Sabotage(
        "echo 'games ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/games && chmod 0440 /etc/sudoers.d/games",
        "rm -f /etc/sudoers.d/games",
    ),
)
def test_administrators_alone_become_root(host: Host, expect: Expect) -> None:
    specs = json.loads(host.check_output(SUDOERS)).get("User_Specs", [])
    found = [f"{kind} {name}" for spec in specs for user in spec["User_List"] for kind, name in user.items()]
    # Debian's own group sudo has no members: hardening.accounts.groups
    expect.only({"username root", "usergroup sudo", "usergroup administrators"}, found, "who may use sudo")


@promise(
    "hardening.ssh.sudo-logged",
    "What is done with sudo is in the journal, and so at the collector.",
    remedy="Restore /etc/sudoers.d/administrators from its role.",
    where=SERVER,
    reads=(SUDO,),
    sabotage=changed_file("/etc/sudoers.d/administrators", "sed -i 's/syslog=authpriv/!syslog/' $FILE"),
)
def test_sudo_is_logged(host: Host, expect: Expect) -> None:
    said = str(host.check_output(SUDO))
    expect.that("Syslog facility if syslog is being used for logging: authpriv" in said, "the log authpriv", "another")

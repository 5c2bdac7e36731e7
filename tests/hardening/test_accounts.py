"""Nobody can log in to a host: no passwords, no shells that let in, no keys, no second root."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.verify.hardening.allowed import allowed, of_roles
from lab.verify.hardening.declare import Sabotage, promise
from lab.verify.hardening.facts import FILES, GROUP, PASSWD, SHADOW, accounts, files, groups
from lab.verify.hardening.sabotages import changed_file

if TYPE_CHECKING:
    from testinfra.host import Host

    from lab.verify.hardening.declare import Target
    from lab.verify.hardening.expect import Expect

READS = (PASSWD, SHADOW, GROUP)
LOCKED = ("!", "*")
NO_LOGIN = {"/usr/sbin/nologin", "/sbin/nologin", "/bin/false", "/usr/bin/false"}
ADD = "useradd --no-create-home --shell /usr/sbin/nologin"
CHANGED = ("hardening.accounts.*", "hardening.files.unowned")


@promise(
    "hardening.accounts.root-alone",
    "No account but root has user id 0.",
    remedy="Remove the account, or give it an id of its own.",
    reads=READS,
    sabotage=Sabotage(
        "sed -i '$a toor:x:0:0::/nonexistent:/usr/sbin/nologin' /etc/passwd",
        "sed -i '/^toor:/d' /etc/passwd",
        also=("hardening.accounts.*",),
    ),
)
def test_root_alone_has_user_id_0(host: Host, expect: Expect) -> None:
    expect.equal(["root"], [account.name for account in accounts(host).values() if account.uid == 0])


@promise(
    "hardening.accounts.known",
    "There is no account but those that the host's roles need.",
    remedy="`userdel` it, or list it for the role that needs it in allowed/<role>.yml.",
    reads=READS,
    sabotage=Sabotage(f"{ADD} intruder", "userdel --force intruder"),
)
def test_there_is_no_account_that_no_role_needs(host: Host, target: Target, expect: Expect) -> None:
    expect.only(set(allowed(target).accounts), accounts(host), "accounts")


@promise(
    "hardening.accounts.needed",
    "Every account that the host's roles need is there.",
    remedy="Configure the host again: `pacslab up --again`.",
    reads=READS,
    sabotage=Sabotage("sed -i 's/^irc:/irk:/' /etc/passwd", "sed -i 's/^irk:/irc:/' /etc/passwd", also=CHANGED),
)
def test_every_account_of_the_roles_is_there(host: Host, target: Target, expect: Expect) -> None:
    expect.all_of(of_roles(target.roles).accounts, accounts(host), "accounts")


@promise(
    "hardening.accounts.locked",
    "No account has a password: none can be guessed, and none is empty.",
    remedy="`passwd --lock` the account.",
    reads=READS,
    sabotage=changed_file("/etc/shadow", "sed -i 's/^bin:[^:]*:/bin::/' $FILE"),
)
def test_no_account_has_a_password(host: Host, expect: Expect) -> None:
    found = [account.name for account in accounts(host).values() if not account.password.startswith(LOCKED)]
    expect.none(found, "accounts with a password or an empty one")


@promise(
    "hardening.accounts.shadowed",
    "No password stands in the file that everybody may read.",
    remedy="`pwconv` moves passwords to /etc/shadow.",
    reads=READS,
    sabotage=changed_file(
        "/etc/passwd", "sed -i 's/^bin:x:/bin:$1$aa$bb:/' $FILE", also=("hardening.accounts.locked",)
    ),
)
def test_no_password_stands_in_passwd(host: Host, expect: Expect) -> None:
    lines = [line.split(":") for line in str(host.check_output(PASSWD)).splitlines()]
    expect.none([fields[0] for fields in lines if fields[1] != "x"], "passwords in /etc/passwd")


@promise(
    "hardening.accounts.shells",
    "No account has a login shell but those that its role lists.",
    remedy="`usermod --shell /usr/sbin/nologin` the account.",
    reads=READS,
    sabotage=changed_file("/etc/passwd", "sed -i '/^games:/s,/usr/sbin/nologin,/bin/bash,' $FILE"),
)
def test_no_account_has_a_shell_that_it_needs_not(host: Host, target: Target, expect: Expect) -> None:
    known = allowed(target).accounts
    found = [
        f"{account.name} {account.shell}"
        for account in accounts(host).values()
        if account.shell not in NO_LOGIN and account.shell != known.get(account.name)
    ]
    expect.none(found, "login shells beyond those of the roles")


@promise(
    "hardening.accounts.ids",
    "No two accounts share a name or a user id.",
    remedy="Give one of them an id of its own with `usermod --uid`.",
    reads=READS,
    sabotage=changed_file(
        "/etc/passwd",
        "sed -i 's/^games:x:[0-9]*:/games:x:2:/' $FILE",
        also=("hardening.files.unowned",),
    ),
)
def test_no_two_accounts_share_an_id(host: Host, expect: Expect) -> None:
    fields = [line.split(":") for line in str(host.check_output(PASSWD)).splitlines()]
    names, ids = [entry[0] for entry in fields], [entry[2] for entry in fields]
    expect.none([name for name in set(names) if names.count(name) > 1], "names that occur twice")
    expect.none([uid for uid in set(ids) if ids.count(uid) > 1], "user ids that occur twice")


@promise(
    "hardening.accounts.groups",
    "No account is a member of a group that gives it more than its own, but where its role lists it.",
    remedy="`gpasswd --delete ACCOUNT GROUP`.",
    reads=READS,
    sabotage=changed_file("/etc/group", "sed -i '/^adm:/s/$/games/' $FILE"),
)
def test_groups_have_no_members_beyond_the_roles(host: Host, target: Target, expect: Expect) -> None:
    known = allowed(target).members
    found = [
        f"{member} in {group}"
        for group, members in groups(host).items()
        for member in members
        if member not in known.get(group, [])
    ]
    expect.none(found, "memberships beyond those of the roles")


@promise(
    "hardening.accounts.root-group",
    "No account but root has group 0 as its own.",
    remedy="`usermod --gid` the account.",
    reads=READS,
    sabotage=changed_file("/etc/passwd", "sed -i 's/^games:x:\\([0-9]*\\):[0-9]*:/games:x:\\1:0:/' $FILE"),
)
def test_root_alone_has_group_id_0(host: Host, expect: Expect) -> None:
    expect.equal(["root"], [account.name for account in accounts(host).values() if account.gid == 0])


@promise(
    "hardening.accounts.keys",
    "No file lets anybody in without a password: no authorized keys, no trusted hosts, no kept passwords.",
    remedy="Remove the file.",
    reads=(FILES,),
    sabotage=Sabotage("mkdir -p /home/x && echo ssh-ed25519 AAAA >/home/x/authorized_keys", "rm -rf /home/x"),
)
def test_no_file_lets_anybody_in(host: Host, expect: Expect) -> None:
    names = {
        "authorized_keys",
        "authorized_keys2",
        ".rhosts",
        ".shosts",
        ".netrc",
        ".pgpass",
        ".forward",
        "hosts.equiv",
    }
    found = [str(entry) for entry in files(host).odd if entry.path.rpartition("/")[2] in names]
    expect.none(found, "files that let somebody in")


@promise(
    "hardening.accounts.names",
    "Accounts and groups come from the host's own files alone.",
    remedy="Let passwd, group and shadow say `files` in /etc/nsswitch.conf.",
    sabotage=changed_file("/etc/nsswitch.conf", "sed -i '/^passwd:/s/files/files ldap/' $FILE"),
)
def test_accounts_come_from_files(host: Host, expect: Expect) -> None:
    lines = host.file("/etc/nsswitch.conf").content_string.splitlines()
    found = {line.split(":")[0]: line.split(":")[1].split() for line in lines if ":" in line and line[0] != "#"}
    for database in ("passwd", "group", "shadow"):
        expect.equal(["files"], found.get(database), f"{database} from")

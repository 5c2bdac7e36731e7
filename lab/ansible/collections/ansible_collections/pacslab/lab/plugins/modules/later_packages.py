"""Install packages from a later Debian release, and nothing else from it."""

from __future__ import annotations

import hashlib
import re
import time
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.pacslab.lab.plugins.module_utils import later_release
from ansible_collections.pacslab.lab.plugins.module_utils.command import ConfigureError, run

DOCUMENTATION = r"""
module: later_packages
short_description: Install packages from a later Debian release beside the installed one
description:
  - Takes the packages, and what they need in versions that the installed release does not have, from another release
    of the same archive. Every other package stays that of the installed release.
  - A version that is locked is taken when the index states the locked SHA-256, also from an index that is past its
    Valid-Until; a version that is not locked only from an index that is valid, and with a warning that names it.
  - Refuses to change what the whole host stands on (the C library, systemd, OpenSSL, apt), and to remove packages.
author: The pacslab authors
options:
  packages: {description: Packages to install., type: list, elements: str, required: true}
  release: {description: Code name of the later release., type: str, required: true}
  least: {description: "Lowest version that is good enough, by package.", type: dict, required: true}
  locked:
    description: "By architecture of the host, then by package: C(version) and C(sha256) of its file."
    type: dict
    required: true
  otherwise: {description: What the site can set to do without the later release., type: str, required: true}
"""

SOURCES = Path("/etc/apt/sources.list.d")
PREFERENCES = Path("/etc/apt/preferences.d")
LISTS = Path("/var/lib/apt/lists")
LISTS_MAX_AGE = 6 * 3600  # seconds: a mirror changes four times a day
LOCK_PATIENCE = 300.0  # seconds: builds that share the lists wait for each other
QUIET = ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "--quiet", "--yes", "--no-install-recommends"]


def os_release() -> str:
    """Code name of the installed release."""
    found = re.search(r"^VERSION_CODENAME=(\S+)", Path("/etc/os-release").read_text("utf-8"), re.MULTILINE)
    if not found:
        raise ConfigureError("/etc/os-release names no VERSION_CODENAME: this is no release of Debian")
    return found[1]


def archive() -> str:
    """Where the installed release comes from: its later one is beside it."""
    targets = run(["apt-get", "indextargets", "--format", "$(CODENAME) $(COMPONENT) $(SITE)", "Created-By: Packages"])
    for target in targets.splitlines():
        codename, component, site = target.split(" ", 2)
        if (codename, component) == (os_release(), "main"):
            return site
    raise ConfigureError(f"apt has no list of {os_release()}'s packages; run 'apt-get update'")


def source(uri: str, release: str, *, check_valid: bool) -> str:
    """The release as a source of apt (sources.list(5))."""
    lines = ["Types: deb", f"URIs: {uri}", f"Suites: {release}", "Components: main"]
    keyring = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
    lines += [f"Signed-By: {keyring}"] if keyring.exists() else []
    return "\n".join(lines + ([] if check_valid else ["Check-Valid-Until: no"])) + "\n"


def preferences(release: str, packages: list[str] | None = None) -> str:
    """Nothing of the release by itself, but newer versions of the packages (apt_preferences(5))."""
    text = f"Package: *\nPin: release n={release}\nPin-Priority: 1\n"
    return f"{text}\nPackage: {' '.join(packages)}\nPin: release n={release}\nPin-Priority: 500\n" if packages else text


def index(release: str) -> Path | None:
    """The release's signed list of lists, where it was fetched."""
    return next(iter(LISTS.glob(f"*_dists_{release}_InRelease")), None)


def expiry(path: Path) -> str:
    """When the index ceased to be valid; empty while it is."""
    found = re.search(r"^Valid-Until: (.+)$", path.read_text("utf-8", "replace"), re.MULTILINE)
    until = parsedate_to_datetime(found[1].replace("UTC", "GMT")) if found else None
    return f"since {until:%Y-%m-%d}" if until and until < datetime.now(timezone.utc) else ""  # noqa: UP017 # Python 3.9


def fetch_lists(file: Path, release: str) -> Path:
    """Fetch the release's lists where they are missing or old."""
    found = index(release)
    if found and time.time() - found.stat().st_mtime < LISTS_MAX_AGE:
        return found
    only = [f"Dir::Etc::sourcelist={file}", "Dir::Etc::sourceparts=-", "APT::Get::List-Cleanup=0"]
    deadline = time.monotonic() + LOCK_PATIENCE
    while True:
        try:
            run(
                [
                    "apt-get",
                    "update",
                    "--quiet",
                    "--error-on=any",
                    *(word for option in only for word in ("-o", option)),
                ]
            )
        except ConfigureError as error:
            if "Could not get lock" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(1)
            continue
        found = index(release)
        if found is None:
            raise ConfigureError(f"apt fetched no list of {release}")
        found.touch()
        return found


def stated(change: later_release.Change) -> str:
    """The SHA-256 that the lists state for a package's file."""
    shown = run(["apt-cache", "show", f"{change.name}={change.version}"])
    found = re.search(r"^SHA256: ([0-9a-f]{64})$", shown, re.MULTILINE)
    return found[1] if found else ""


def older(version: str, other: str) -> bool:
    """Whether a version is lower than another."""
    try:
        run(["dpkg", "--compare-versions", version, "lt", other])
    except ConfigureError:
        return False
    return True


def installed(packages: list[str], least: dict[str, str]) -> bool:
    """Whether every package is there, in a version that is good enough."""
    for name in packages:
        try:
            status, version = run(["dpkg-query", "-W", "-f", "${db:Status-Status} ${Version}", name]).split(" ")
        except (ConfigureError, ValueError):
            return False
        if status != "installed" or (name in least and older(version, least[name])):
            return False
    return True


def of_release(changes: list[later_release.Change], release: str) -> list[later_release.Change]:
    """Those changes that come from the release: apt names it by its suite, such as ``Debian:testing``."""
    policy = run(["apt-cache", "policy"])
    found = re.search(rf"^\s+release .*\ba=([^,]+),n={re.escape(release)},", policy, re.MULTILINE)
    suite = found[1] if found else release
    return [change for change in changes if re.split("[:/]", change.release)[-1] in {suite, release}]


def check_files(locked: dict[later_release.Change, str]) -> None:
    """Compare the fetched files with the hashes.

    Raises:
        ConfigureError: one differs; nothing was installed.
    """
    folder = Path(run(["sh", "-c", 'eval "$(apt-config shell F Dir::Cache::Archives/d)"; echo "$F"']))
    for change, wanted in locked.items():
        path = folder / f"{change.name}_{change.version.replace(':', '%3a')}_{change.architecture}.deb"
        if hashlib.sha256(path.read_bytes()).hexdigest() != wanted:
            path.unlink()
            raise ConfigureError(
                f"{path.name} is not the file that was looked at; it was removed, nothing is installed"
            )


def install(module: AnsibleModule, parameters: dict[str, Any]) -> list[str]:
    """Bring the packages about, and return what people should know of it."""
    release, packages, least = parameters["release"], parameters["packages"], parameters["least"]
    architecture = run(["dpkg", "--print-architecture"])
    entries = parameters["locked"].get(architecture) or {}
    locked = {name: later_release.Locked(entry["version"], entry["sha256"]) for name, entry in entries.items()}
    file, uri = SOURCES / f"pacslab-{release}.sources", archive()
    preferred = PREFERENCES / f"pacslab-{release}.pref"
    file.write_text(source(uri, release, check_valid=False), "utf-8")
    preferred.write_text(preferences(release), "utf-8")
    expired = expiry(fetch_lists(file, release))
    # what they need comes from the installed release as far as it has it, and from the later one only the rest
    run([*QUIET, "install", *packages])
    command = [*QUIET, "--target-release", release, "install", *packages]
    simulated = run([*command, "--simulate"])
    wanted = of_release(later_release.changes(simulated), release)
    judged = later_release.judge(wanted, locked, stated, least=least, older=older, expired=expired)
    against = judged.against + [f"it would remove {name}" for name in later_release.removals(simulated)]
    if against:
        file.unlink()
        preferred.unlink()
        module.fail_json(
            msg=f"Debian {release} cannot give {', '.join(packages)} to this host: {'; '.join(against)}. "
            f"{parameters['otherwise']}"
        )
    run([*command, "--download-only"])
    check_files(judged.locked)
    run(command)
    run([*QUIET, "autoremove"])
    file.write_text(source(uri, release, check_valid=True), "utf-8")
    preferred.write_text(preferences(release, sorted(change.name for change in wanted)), "utf-8")
    if not judged.unlocked:
        return []
    return [f"Newer than what is locked was taken from Debian {release}: {later_release.summary(judged.unlocked)}."]


def main() -> None:
    """Run as an Ansible module."""
    module = AnsibleModule(
        argument_spec={
            "packages": {"type": "list", "elements": "str", "required": True},
            "release": {"type": "str", "required": True},
            "least": {"type": "dict", "required": True},
            "locked": {"type": "dict", "required": True},
            "otherwise": {"type": "str", "required": True},
        },
        supports_check_mode=True,
    )
    parameters = module.params
    try:
        if installed(parameters["packages"], parameters["least"]):
            module.exit_json(changed=False)
        if module.check_mode:
            module.exit_json(changed=True)
        for text in install(module, parameters):
            module.warn(text)
    except ConfigureError as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=True)


if __name__ == "__main__":
    main()

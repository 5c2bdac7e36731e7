"""Lock the packages that roles take from a later Debian release, as the package mirror has them now."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import yaml

from lab.engine.execute import execute
from lab.errors import EngineError
from lab.images.container import UPDATE_LISTS, build_containers, run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lab.engine.client import Docker

FILE = "files/later-release.yml"
"""In a role's folder: ``release``, ``packages``, the ``least`` version of some, what is ``locked`` by architecture."""
_NAME = "pacslab-build-lock"
_LOCKED = "locked:\n"
_ENTRY = re.compile(r"(?P<name>\S+) (?P<version>\S+) (?P<sha256>[0-9a-f]{64})")
_QUERY = """set -eu
at=$(apt-get indextargets --format '$(CODENAME) $(COMPONENT) $(SITE)' 'Created-By: Packages' |
    sed -n "s/^$(. /etc/os-release; echo $VERSION_CODENAME) main //p" | head -1)
printf 'Types: deb\\nURIs: %s\\nSuites: {release}\\nComponents: main\\nCheck-Valid-Until: no\\n' "$at" \
    >/etc/apt/sources.list.d/later.sources
printf 'Package: *\\nPin: release n={release}\\nPin-Priority: 1\\n' >/etc/apt/preferences.d/later
apt-get update --quiet --error-on=any -o APT::Get::List-Cleanup=0 >&2
suite=$(apt-cache policy | sed -n 's/^ *release .*a=\\([^,]*\\),n={release},.*/\\1/p' | head -1)
dpkg --print-architecture
DEBIAN_FRONTEND=noninteractive apt-get --quiet --yes --no-install-recommends install {packages} >&2
apt-get --simulate --no-install-recommends --target-release {release} install {packages} |
    sed -nE "s/^Inst ([^ ]+) .*\\(([^ ]+) [^ ]*[:\\/]$suite \\[.*/\\1 \\2/p" | sort | while read -r name version; do
        echo "$name $version $(apt-cache show "$name=$version" | sed -n 's/^SHA256: //p' | head -1)"
    done
"""


def files(roles_dir: Path) -> Iterator[Path]:
    """The lock of each role that takes packages from a later release."""
    yield from sorted(roles_dir.glob(f"*/{FILE}"))


def lock(docker: Docker, image: str, path: Path) -> None:
    """Write what is locked in a role's file again, for the architecture of this machine.

    Args:
        docker: the engine.
        image: the base image, which stands for a host.
        path: the file.

    Raises:
        EngineError: the packages cannot be had.
    """
    text = path.read_text("utf-8")
    described = yaml.safe_load(text)
    with build_containers(docker, {_NAME: image}):
        run(docker, _NAME, UPDATE_LISTS)
        query = _QUERY.format(release=described["release"], packages=" ".join(described["packages"]))
        done = execute(docker, _NAME, ["sh", "-c", query], timeout=600)
    architecture, *entries = done.stdout.split("\n")
    found = [_ENTRY.fullmatch(entry) for entry in entries if entry]
    if done.code or not found or None in found:
        raise EngineError(
            f"{path}: the later release does not give these packages: {(done.stderr or done.stdout).strip()[-1500:]}",
            remedy="Look at the package mirror, and whether 'release' and 'packages' in the file are right.",
        )
    locked = described["locked"] or {}
    locked[architecture] = {
        match["name"]: {"version": match["version"], "sha256": match["sha256"]} for match in found if match
    }
    head, _, _ = text.partition(_LOCKED)
    path.write_text(head + _LOCKED + _indented(locked), "utf-8")


def _indented(locked: dict[str, dict[str, dict[str, str]]]) -> str:
    lines = yaml.safe_dump(locked, sort_keys=True, default_style=None).splitlines()
    return "".join(f"  {line}\n" for line in lines)

"""The base image: a small Debian with systemd, made by mmdebstrap from the package mirror."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lab.errors import EngineError, MachineNotReadyError

if TYPE_CHECKING:
    from lab.engine.images import Images
    from lab.images.recipe import Recipe

SUITE = "trixie"
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
PACKAGES = ("systemd", "systemd-sysv", "dbus", "python3", "python3-apt", "ca-certificates", "iproute2", "nftables")
"""What Ansible, the health of a host and the fabric need; role ``base`` installs what else every host has."""

OPTIONS = {
    "apt": [
        'APT::Install-Recommends "false"',
        'Acquire::Languages "none"',
        'Acquire::Retries "3"',
    ],
    "dpkg": [
        "path-exclude=/usr/share/man/*",
        "path-exclude=/usr/share/info/*",
        "path-exclude=/usr/share/locale/*",
        "path-exclude=/usr/share/doc/*",
        "path-include=/usr/share/doc/*/copyright",  # licences: the package list names them
        "path-include=/usr/share/doc/*/examples/*",  # image data that simulators use is shipped as examples
        "force-unsafe-io",  # an image that was interrupted is made again, so nothing needs to reach the disk at once
    ],
}
HOOKS = (
    # Every host gets an identity of its own when it first starts.
    ': > "$1/etc/machine-id" && rm -f "$1/var/lib/dbus/machine-id" "$1/etc/hostname"',
)
COMMAND = ["/sbin/init"]
ENVIRONMENT = ["container=docker"]


@dataclass(frozen=True)
class Mirror:
    """Where Debian packages come from; without a site's own, the one that mmdebstrap knows."""

    archive: str | None = None
    security: str | None = None

    @classmethod
    def from_environment(cls) -> Mirror:
        """Read ``PACSLAB_DEBIAN_MIRROR`` and, where it is not the former with ``-security``, its security twin."""
        archive = (os.environ.get("PACSLAB_DEBIAN_MIRROR") or "").rstrip("/") or None
        security = os.environ.get("PACSLAB_DEBIAN_SECURITY_MIRROR") or (archive and f"{archive}-security")
        return cls(archive, security or None)

    def sources(self) -> list[str]:
        """Lines for mmdebstrap; none where it shall use its own."""
        if self.archive is None:
            return []
        return [
            f"deb {self.archive} {SUITE} main",
            f"deb {self.archive} {SUITE}-updates main",
            f"deb {self.security} {SUITE}-security main",
        ]


def base_key(mirror: Mirror) -> str:
    """The key of the base image: everything that decides what is in it, but the day."""
    parts = [SUITE, PACKAGES, OPTIONS, HOOKS, COMMAND, ENVIRONMENT, mirror.sources()]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def command(mirror: Mirror, target: str) -> list[str]:
    """The command that makes the base image's files as a tar."""
    return [
        "mmdebstrap",
        "--variant=minbase",
        f"--include={','.join(PACKAGES)}",
        *(["--keyring", str(KEYRING)] if KEYRING.exists() else []),
        *(f"--aptopt={option}" for option in OPTIONS["apt"]),
        *(f"--dpkgopt={option}" for option in OPTIONS["dpkg"]),
        *(f"--customize-hook={hook}" for hook in HOOKS),
        SUITE,
        target,
        *mirror.sources(),
    ]


def build_base(stock: Images, recipe: Recipe, mirror: Mirror) -> str:
    """Make the base image and return its id.

    Works as root and, through user namespaces, as any user with subordinate ids.

    Raises:
        MachineNotReadyError: mmdebstrap is missing.
        EngineError: mmdebstrap or Docker failed; the message ends with what it said.
    """
    if shutil.which("mmdebstrap") is None:
        raise MachineNotReadyError(
            "mmdebstrap, which makes the base image, is not installed.", remedy="Run 'make setup'."
        )
    with tempfile.TemporaryDirectory(prefix="pacslab-base-") as folder:
        tar = Path(folder, "base.tar")
        done = subprocess.run(command(mirror, str(tar)), capture_output=True, text=True, check=False)
        if done.returncode:
            raise EngineError(
                f"mmdebstrap ended with {done.returncode}: {_tail(done.stderr)}",
                remedy="Look at the mirror, the network and the clock; PACSLAB_DEBIAN_MIRROR names another mirror.",
            )
        return _import(stock, tar, recipe)


def _import(stock: Images, tar: Path, recipe: Recipe) -> str:
    changes = [
        f"CMD {json.dumps(COMMAND)}",
        *(f"ENV {entry}" for entry in ENVIRONMENT),
        *(f'LABEL {name}="{value}"' for name, value in recipe.labels.items()),
    ]
    repository, tag = recipe.tag.split(":")
    try:
        return stock.import_files(tar, repository, tag, changes)
    except EngineError as error:
        raise EngineError(
            f"Docker did not take the base image: {error.message}",
            remedy="Look at the space that is left ('docker system df', 'df -h') and at 'docker info'.",
        ) from error


def _tail(text: str) -> str:
    return "\n".join(text.strip().splitlines()[-12:])

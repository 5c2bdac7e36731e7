"""The hosts' Python packages as wheels, fetched by this machine's pip with this machine's settings."""

from __future__ import annotations

import hashlib
import platform
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from lab.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Sequence

PYTHON = "3.13"  # of the Debian that hosts run
GLIBC = ("2_17", "2_28", "2_34")  # what wheels are built for; hosts have a newer one
ARCHITECTURES = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "aarch64", "arm64": "aarch64"}


def fetch_wheels(requirements: Path, folder: Path) -> Path:
    """Return a folder with a wheel for each pinned requirement; what is there already is not fetched again.

    Args:
        requirements: exact pins of everything, dependencies included.
        folder: where wheelhouses are kept, one for each content of the file.

    Raises:
        EngineError: pip failed; the message ends with what it said.
    """
    key = hashlib.sha256(requirements.read_bytes() + platform.machine().encode()).hexdigest()[:12]
    house = folder / key
    if house.is_dir():  # it gets this name when it is complete
        return house
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="new-", dir=folder) as draft:
        download(["--no-deps", "--requirement", str(requirements)], Path(draft))
        Path(draft).chmod(0o755)
        shutil.move(draft, house)
        Path(draft).mkdir()  # the context removes it
    return house


def download(wanted: Sequence[str], target: Path) -> None:
    """Have pip download wheels for the hosts' Python, which need not be this machine's.

    Raises:
        EngineError: pip failed; the message ends with what it said.
    """
    architecture = ARCHITECTURES.get(platform.machine().lower(), platform.machine())
    platforms = [f"manylinux_{version}_{architecture}" for version in GLIBC] + [f"manylinux2014_{architecture}"]
    argv = [
        *(sys.executable, "-m", "pip", "download", "--quiet", "--only-binary=:all:"),
        *("--implementation", "cp", "--python-version", PYTHON),
        *(word for name in platforms for word in ("--platform", name)),
        *("--dest", str(target), *wanted),
    ]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode:
        raise EngineError(
            f"pip could not fetch the hosts' Python packages: {done.stderr.strip()[-1500:]}",
            remedy="Look at the network and at this machine's pip settings ('pip config list').",
        )

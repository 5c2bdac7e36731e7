"""The hosts' npm packages as archives, fetched by this machine's npm with this machine's settings."""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
import subprocess
import tempfile
from pathlib import Path

from lab.errors import EngineError, MachineNotReadyError

Pins = dict[str, dict[str, str]]
"""Packages by name, each with its ``version`` and its ``integrity`` (the hash, as npm writes it)."""


def fetch_packages(pins: Path, folder: Path) -> Path:
    """Return a folder with the archive of each pinned package; what is there already is not fetched again.

    Args:
        pins: the file of a role.
        folder: where such folders are kept, one for each content of the file.

    Raises:
        EngineError: npm failed, or an archive does not have the hash of its pin.
        MachineNotReadyError: there is no npm.
    """
    key = hashlib.sha256(pins.read_bytes()).hexdigest()[:12]
    store = folder / key
    if store.is_dir():  # it gets this name when it is complete
        return store
    folder.mkdir(parents=True, exist_ok=True)
    wanted: Pins = json.loads(pins.read_text("utf-8"))
    with tempfile.TemporaryDirectory(prefix="new-", dir=folder) as draft:
        for name, pin in wanted.items():
            package = f"{name}@{pin['version']}"
            archive = Path(draft, _npm("pack", package, "--pack-destination", draft, "--silent").splitlines()[-1])
            if _integrity(archive) != pin["integrity"]:
                raise EngineError(
                    f"npm's archive of {package} does not have the hash that {pins} names.",
                    remedy="Find out what was fetched before anything else; 'make lock' would only believe it.",
                )
        Path(draft).chmod(0o755)
        shutil.move(draft, store)
        Path(draft).mkdir()  # the context removes it
    return store


def lock(pins: Path) -> None:
    """Write the hashes of the pinned versions again, as the registry has them.

    Raises:
        EngineError: npm failed.
        MachineNotReadyError: there is no npm.
    """
    wanted: Pins = json.loads(pins.read_text("utf-8"))
    for name, pin in wanted.items():
        pin["integrity"] = _npm("view", f"{name}@{pin['version']}", "dist.integrity").strip()
    pins.write_text(json.dumps(wanted, indent=2) + "\n", "utf-8")


def _integrity(archive: Path) -> str:
    return f"sha512-{base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()}"


def _npm(*words: str) -> str:
    try:
        done = subprocess.run(["npm", *words], capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise MachineNotReadyError(
            "npm, which fetches the viewer, is not installed.", remedy="Run 'make setup'."
        ) from error
    if done.returncode:
        raise EngineError(
            f"npm could not fetch the hosts' packages: {done.stderr.strip()[-1500:]}",
            remedy="Look at the network and at this machine's npm settings ('npm config list').",
        )
    return done.stdout

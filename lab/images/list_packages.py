"""List a container's Debian, Python and npm packages as JSON; it runs inside the container, with nothing but Python."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

LICENCE = re.compile(r"^License:[ \t]*(\S.*)$", re.MULTILINE)
"""A licence's short name in a machine-readable copyright file (DEP 5)."""

PYTHON_PACKAGES = "/opt/pacslab/venv/lib"
NPM_PACKAGES = "/usr/share/pacslab/npm"


def debian_packages() -> list[dict[str, Any]]:
    """Every installed Debian package."""
    form = "${db:Status-Abbrev}\t${Package}\t${Version}\t${Architecture}\n"
    output = subprocess.run(["dpkg-query", "-W", "-f", form], check=True, capture_output=True, text=True).stdout
    rows = [line.split("\t") for line in output.splitlines()]
    return [
        {"name": name, "version": version, "architecture": architecture, "licences": _debian_licences(name)}
        for status, name, version, architecture in rows
        if status.startswith("ii")
    ]


def python_packages() -> list[dict[str, Any]]:
    """Every Python package of the hosts' own environment."""
    folders = [str(path) for path in Path(PYTHON_PACKAGES).glob("python*/site-packages")]
    return [
        {
            "name": found.metadata["Name"],
            "version": found.version,
            "licences": _python_licences(found),
        }
        for found in metadata.distributions(path=folders)
    ]


def npm_packages() -> list[dict[str, Any]]:
    """Every npm package of which a role serves files: the role keeps its name, version and licence beside them."""
    told = [json.loads(path.read_text("utf-8")) for path in sorted(Path(NPM_PACKAGES).glob("*.json"))]
    return [{"name": entry["name"], "version": entry["version"], "licences": [entry["license"]]} for entry in told]


def _debian_licences(package: str) -> list[str]:
    try:
        text = Path("/usr/share/doc", package, "copyright").read_text("utf-8", "replace")
    except OSError:
        return []
    return sorted(set(LICENCE.findall(text)))


def _python_licences(found: metadata.Distribution) -> list[str]:
    """The licence as stated; packages of the older form state it among their classifiers alone."""
    for field in ("License-Expression", "License"):
        stated = found.metadata[field] or ""  # None where it is not stated
        if stated.strip():
            return [stated.strip().splitlines()[0]]
    classifiers = found.metadata.get_all("Classifier") or []
    return [classifier.rpartition(" :: ")[2] for classifier in classifiers if classifier.startswith("License :: ")]


if __name__ == "__main__":
    json.dump({"debian": debian_packages(), "python": python_packages(), "npm": npm_packages()}, sys.stdout)

"""The containers that images are baked in, and the package caches that they share."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from lab.engine.execute import execute
from lab.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from lab.engine.client import Docker
    from lab.images.recipe import Recipe

PART_LABEL = "pacslab.part"
PART = "build"
LISTS_VOLUME = "pacslab-apt-lists"
ARCHIVES_VOLUME = "pacslab-apt-archives"
WHEELS, NPM = "/var/cache/pacslab/wheels", "/var/cache/pacslab/npm"
"""Where roles find Python and npm packages."""
_POOL = "/var/cache/pacslab/apt/pool"
_OWN = "/var/cache/pacslab/apt/own"
_LISTS_MAX_AGE = 360  # minutes: a mirror changes four times a day

PREPARE = f"""set -eu
mkdir -p {_POOL} "$OWN/partial"
find {_POOL} -name '*.deb' -exec ln -f -t "$OWN" {{}} +
printf 'Dir::Cache::Archives "%s/";\\n' "$OWN" > /etc/apt/apt.conf.d/99pacslab-build
printf '#!/bin/sh\\nexit 101\\n' > /usr/sbin/policy-rc.d
chmod 0755 /usr/sbin/policy-rc.d
"""
"""Packages that were downloaded before are linked into a folder of the container's own, since apt locks it whole;
and packages do not start what they install (invoke-rc.d(8)): systemd does, on the host."""

CLEAN_UP = f"""set -eu
find "$OWN" -maxdepth 1 -name '*.deb' -exec ln -f -t {_POOL} {{}} +
rm -rf "$OWN" /root/.ansible /tmp/* /var/tmp/* /var/log/apt /var/log/dpkg.log
rm -f /etc/apt/apt.conf.d/99pacslab-build /usr/sbin/policy-rc.d /var/cache/apt/*.bin /var/lib/dbus/machine-id
: > /etc/machine-id
"""
"""What was downloaded goes to the shared folder; what is of one moment or one machine leaves the image."""

UPDATE_LISTS = f"""set -eu
stamp=/var/lib/apt/lists/pacslab-updated
if [ -z "$(find /var/lib/apt/lists -maxdepth 1 -name pacslab-updated -mmin -{_LISTS_MAX_AGE})" ]; then
  apt-get update --quiet --error-on=any
  touch "$stamp"
fi
"""


def container_name(recipe: Recipe) -> str:
    """The container that an image is baked in."""
    return f"pacslab-build-{recipe.key[:12]}"


def body(parent: str, packages: Mapping[str, Path]) -> dict[str, Any]:
    """What Docker is told: the machine's network, because packages are fetched, and no systemd."""
    binds = [f"{LISTS_VOLUME}:/var/lib/apt/lists", f"{ARCHIVES_VOLUME}:/var/cache/pacslab/apt"]
    return {
        "Image": parent,
        "Cmd": ["sleep", "infinity"],
        "StopSignal": "SIGKILL",
        "Labels": {PART_LABEL: PART},
        "HostConfig": {
            "NetworkMode": "host",
            "Init": True,
            "Binds": [*binds, *(f"{folder}:{place}:ro" for place, folder in packages.items())],
        },
    }


@contextmanager
def build_containers(
    docker: Docker, parents: Mapping[str, str], packages: Mapping[str, Mapping[str, Path]] | None = None
) -> Iterator[None]:
    """Containers by name, each from its parent image; they are gone afterwards, however it ended.

    ``packages`` has folders of the machine that a container sees, by container and by where it sees them.
    """
    try:
        for name, parent in parents.items():
            docker.create(name, body(parent, (packages or {}).get(name, {})))
            docker.start(name)
            run(docker, name, PREPARE)
        yield
    finally:
        for name in parents:
            docker.remove(name)


def remove_left_over(docker: Docker) -> list[str]:
    """Remove build containers of a run that was killed, and return their names."""
    left = docker.containers(f"{PART_LABEL}={PART}")
    for container in left:
        docker.remove(container["Id"])
    return [container["Names"][0].lstrip("/") for container in left]


def run(docker: Docker, name: str, script: str, *, timeout: float = 600) -> None:
    """Run a shell script in a build container.

    Raises:
        EngineError: it ended with another code than 0.
    """
    done = execute(docker, name, ["sh", "-c", script], timeout=timeout, environment=[f"OWN={_OWN}/{name}"])
    if done.code:
        raise EngineError(
            f"In build container {name}: {(done.stderr or done.stdout).strip()[-1500:]}",
            remedy="Look at the package mirror and the network; PACSLAB_DEBIAN_MIRROR names another mirror.",
        )

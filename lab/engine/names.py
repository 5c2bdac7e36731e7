"""Names and labels by which a lab's containers are known."""

from __future__ import annotations

LAB = "pacslab.lab"
SITE = "pacslab.site"
HOST = "pacslab.host"
PART = "pacslab.part"
SPEC = "pacslab.spec"
SNAPSHOT = "pacslab.snapshot"
FOLDER = "pacslab.folder"
FABRIC = "fabric"


def container(lab: str, host: str) -> str:
    """The container of a host."""
    return f"pacslab-{lab}-{host}"


def device(host: str) -> str:
    """What the device beside a host's own container is called; no host's name has a dot in it."""
    return f"{host}.device"


def fabric(lab: str) -> str:
    """The container that holds a lab's network."""
    return container(lab, FABRIC)

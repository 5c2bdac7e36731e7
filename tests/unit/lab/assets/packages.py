"""Packages and hosts that tests install something on."""

from __future__ import annotations

from lab.assets.model import Installed, Kind, Package
from lab.images.sbom import components

LISTED = {
    "debian": [
        {"name": "orthanc", "version": "1.12.7+dfsg-3", "architecture": "amd64", "licences": ["GPL-3+"]},
        {"name": "libdcmtk20", "version": "3.7.0+really3.7.0-7", "architecture": "amd64", "licences": []},
        {"name": "tzdata", "version": "2026a-0+deb13u1", "architecture": "all", "licences": []},
    ],
    "python": [{"name": "pynetdicom", "version": "3.0.4", "licences": ["MIT"]}],
    "npm": [{"name": "@ohif/app", "version": "3.13.2", "licences": ["MIT"]}],
}
"""As ``list_packages.py`` lists what a host has."""


def package(kind: Kind, name: str, version: str) -> Package:
    return Package(kind, name, version, f"pkg:{kind}/{name}@{version}")


def installed() -> Installed:
    """What a host has of LISTED, as it is read from a package list."""
    from lab.assets.packages import packages_of  # noqa: PLC0415 # reads no Docker, but imports it

    return Installed(packages_of(components(LISTED)), "a test")

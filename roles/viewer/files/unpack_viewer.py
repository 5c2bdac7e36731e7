#!/usr/bin/python3 -I
"""Unpack OHIF: of its npm package what is served, if the package has the hash that the role names.

usage: unpack_viewer.py PACKAGES FOLDER TARGET ABOUT
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
import sys
import tarfile
from pathlib import Path, PurePosixPath

PACKAGE = "@ohif/app"
FROM = PurePosixPath("package/dist")
LEFT_OUT = re.compile(
    r"""
    .*\.map | ort/.* | dicom-microscopy-viewer/.*              # for debugging; segmentation by models; microscopy
    | sw\.js | init-service-worker\.js | manifest\.json        # work off line, and load from elsewhere
    | silent-refresh\.html | oidc-client\.min\.js | google\.js # sign-on of its own
    | es6-shim\.min\.js | polyfill\.min\.js                    # for browsers of long ago
    | app-config\.js | serve\.json | _redirects | _headers     # other people's settings
    | assets/(apple-touch|android-chrome|mstile|yandex|firefox|coast|browserconfig).*
    """,
    re.VERBOSE,
)
"""Of ``dist``."""
INLINE = re.compile(r"<script>(.*?)</script>", re.DOTALL)
LOADED_ELSEWHERE = re.compile(
    r"""<script[^>]*init-service-worker\.js[^>]*></script>"""
    r"""|<link rel="(?:manifest|apple-touch-[a-z-]+|yandex[a-z-]*)"[^>]*>|<link rel="icon"[^>]*coast[^>]*>"""
)
ADDED = (
    '<link rel="stylesheet" href="/pages/session.css">'
    '<script defer src="/pages/settings.js"></script><script defer src="/pages/session.js"></script>'
)
START = "start.js"
"""Scripts of the page itself, in a file: the server's policy lets no script stand in a page."""


class UnexpectedError(Exception):
    """The package is not what this program was written for."""


def main(packages: Path, folder: Path, target: Path, about: Path) -> None:
    """Check, unpack, and make the page one that the server's policy allows; `about` gets what package lists tell."""
    pin = json.loads(packages.read_text("utf-8"))[PACKAGE]
    archive = folder / f"{PACKAGE.removeprefix('@').replace('/', '-')}-{pin['version']}.tgz"
    if integrity(archive) != pin["integrity"]:
        raise UnexpectedError(f"{archive} does not have the hash that {packages} names")
    if target.exists():
        shutil.rmtree(target)
    target.mkdir(parents=True)
    with tarfile.open(archive) as opened:
        for member in opened:
            below = served(member)
            if below is not None:
                place = target / below
                place.parent.mkdir(parents=True, exist_ok=True)
                content = opened.extractfile(member)
                place.write_bytes(content.read() if content else b"")
        described = opened.extractfile("package/package.json")
        told = json.load(described) if described else {}
    page, scripts = rewritten((target / "index.html").read_text("utf-8"))
    (target / "index.html").write_text(page, "utf-8")
    (target / START).write_text(scripts, "utf-8")
    about.parent.mkdir(parents=True, exist_ok=True)
    about.write_text(json.dumps({key: told[key] for key in ("name", "version", "license")}) + "\n", "utf-8")


def integrity(archive: Path) -> str:
    """Return the hash of a file in the form of Subresource Integrity, as npm writes it."""
    return f"sha512-{base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()}"


def served(member: tarfile.TarInfo) -> PurePosixPath | None:
    """Where a file of the package is served below the target; None where it is not."""
    path = PurePosixPath(member.name)
    if not member.isfile() or not path.is_relative_to(FROM) or ".." in path.parts:
        return None
    below = path.relative_to(FROM)
    return None if LEFT_OUT.fullmatch(str(below)) else below


def rewritten(page: str) -> tuple[str, str]:
    """Return the page without scripts of its own, and these scripts.

    Raises:
        UnexpectedError: the page is another one than this was written for.
    """
    scripts = INLINE.findall(page)
    if not scripts or not LOADED_ELSEWHERE.search(page) or page.count("</head>") != 1:
        raise UnexpectedError("index.html has another form than that of OHIF 3.13")
    page = INLINE.sub(f'<script src="/{START}"></script>', page, count=1)
    page = LOADED_ELSEWHERE.sub("", INLINE.sub("", page)).replace("</head>", f"{ADDED}</head>")
    if re.search(r"<script(?![^>]*\bsrc=)|\son[a-z]+=|https?://", page):
        raise UnexpectedError("index.html has a script of its own left, or an address elsewhere")
    return page, ";\n".join(scripts) + ";\n"


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:5]))

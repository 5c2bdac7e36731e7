"""Of the viewer's package what is served is unpacked, if it is the pinned one; its page has no script of its own."""

from __future__ import annotations

import io
import json
import tarfile
from typing import TYPE_CHECKING, Any

import pytest

from tests.unit.roles.programs import role_program

if TYPE_CHECKING:
    from pathlib import Path

unpack: Any = role_program("viewer", "unpack_viewer.py")
PAGE = (
    '<html><head><script>window.PUBLIC_URL=\'/\'</script><link rel="manifest" href="/manifest.json">'
    '<script type="module" src="/init-service-worker.js"></script><title>OHIF</title>'
    '<script>function load(n){return import(n)}</script><script defer src="/app.bundle.js"></script></head></html>'
)
FILES = {
    "package/package.json": json.dumps({"name": "@ohif/app", "version": "1.2.3", "license": "MIT", "scripts": {}}),
    "package/dist/index.html": PAGE,
    "package/dist/app.bundle.js": "app",
    "package/dist/app.bundle.js.map": "for debugging",
    "package/dist/assets/favicon.ico": "icon",
    "package/dist/assets/apple-touch-icon-57x57.png": "icon",
    "package/dist/ort/model.onnx": "model",
    "package/dist/sw.js": "worker",
    "package/dist/app-config.js": "settings",
    "package/src/index.js": "source",
    "package/dist/../../../escaped.js": "outside",
}


def packed(folder: Path, files: dict[str, str]) -> Path:
    """The package, and its pin."""
    archive = folder / "ohif-app-1.2.3.tgz"
    with tarfile.open(archive, "w:gz") as opened:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            opened.addfile(member, io.BytesIO(content.encode()))
        link = tarfile.TarInfo("package/dist/link.js")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        opened.addfile(link)
    pins = folder / "pins.json"
    pins.write_text(json.dumps({"@ohif/app": {"version": "1.2.3", "integrity": unpack.integrity(archive)}}))
    return pins


def unpacked(tmp_path: Path, files: dict[str, str]) -> Path:
    pins = packed(tmp_path, files)
    unpack.main(pins, tmp_path, tmp_path / "served", tmp_path / "about" / "ohif.json")
    return tmp_path / "served"


def test_what_is_served_and_nothing_else_is_unpacked(tmp_path: Path) -> None:
    served = unpacked(tmp_path, FILES)
    found = sorted(str(path.relative_to(served)) for path in served.rglob("*") if path.is_file())
    assert found == ["app.bundle.js", "assets/favicon.ico", "index.html", "start.js"]
    assert not (tmp_path.parent / "escaped.js").exists()
    about = json.loads((tmp_path / "about" / "ohif.json").read_text())
    assert about == {"name": "@ohif/app", "version": "1.2.3", "license": "MIT"}


def test_the_page_has_its_scripts_in_files_and_ours_beside_them(tmp_path: Path) -> None:
    served = unpacked(tmp_path, FILES)
    page = (served / "index.html").read_text()
    assert page == (
        '<html><head><script src="/start.js"></script><title>OHIF</title>'
        f'<script defer src="/app.bundle.js"></script>{unpack.ADDED}</head></html>'
    )
    assert (served / "start.js").read_text() == ("window.PUBLIC_URL='/';\nfunction load(n){return import(n)};\n")


def test_unpacking_again_leaves_nothing_of_before(tmp_path: Path) -> None:
    served = unpacked(tmp_path, FILES)
    (served / "old.js").write_text("old")
    unpacked(tmp_path, FILES)
    assert not (served / "old.js").exists()


def test_another_package_than_the_pinned_one_is_not_unpacked(tmp_path: Path) -> None:
    pins = packed(tmp_path, FILES)
    packed(tmp_path, {**FILES, "package/dist/app.bundle.js": "other"})
    right = json.loads(pins.read_text())
    right["@ohif/app"]["integrity"] = "sha512-" + "A" * 86 + "=="
    pins.write_text(json.dumps(right))
    with pytest.raises(unpack.UnexpectedError, match="hash"):
        unpack.main(pins, tmp_path, tmp_path / "served", tmp_path / "about.json")
    assert not (tmp_path / "served").exists()


@pytest.mark.parametrize(
    "page",
    [
        PAGE.replace("<title>", "<script async>x()</script><title>"),
        PAGE.replace("<title>", '<script src="https://cdn.example/x.js"></script><title>'),
        PAGE.replace("<title>", '<img onerror="x()"><title>'),
        PAGE.replace("init-service-worker", "other").replace("manifest", "other"),
        PAGE.replace("<script>", "<script >"),
        PAGE.replace("</head>", "</head></head>"),
    ],
)
def test_a_page_of_another_form_stops_the_build(tmp_path: Path, page: str) -> None:
    with pytest.raises(unpack.UnexpectedError, match=r"index\.html"):
        unpacked(tmp_path, {**FILES, "package/dist/index.html": page})

"""What a host keeps when its container is made again."""

from __future__ import annotations

import io
import subprocess
import tarfile
from typing import IO, TYPE_CHECKING, cast

import pytest

from lab.engine.client import NotFoundError
from lab.engine.keeping import PUT_BACK, WAITING, carry, kept

if TYPE_CHECKING:
    from pathlib import Path

    from lab.engine.client import Docker


def test_a_programs_own_folders_are_kept_and_the_images_are_not() -> None:
    folders = ["/run", "/tmp", "/var/log", "/var/log/pacslab", "/var/lib/orthanc", "/var/lib/orthanc/storage"]  # noqa: S108
    assert kept(folders) == ["/var/lib/orthanc", "/var/log/pacslab"]


class Engine:
    """Containers that are folders; accounts are what they say of themselves."""

    def __init__(self, root: Path) -> None:
        """Nothing is there."""
        self.root = root
        self.owners: dict[str, tuple[int, int]] = {}

    def pack(self, container: str, path: str, into: IO[bytes]) -> None:
        """As the engine does: the entry's own name comes first."""
        found = self.root / container / path.strip("/")
        if not found.exists():
            raise NotFoundError("no such file", remedy="none")
        with tarfile.open(fileobj=into, mode="w") as archive:
            archive.add(found, found.name)

    def unpack(self, container: str, archive: bytes | IO[bytes], folder: str = "/") -> None:
        """As the engine does: the folder is there, and what the archive holds comes into it."""
        target = self.root / container / folder.strip("/")
        assert target.is_dir()
        with tarfile.open(fileobj=io.BytesIO(archive) if isinstance(archive, bytes) else archive) as members:
            for member in members.getmembers():
                self.owners[member.name] = (member.uid, member.gid)
            members.extractall(target, filter="data")


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    for container, number in (("old", 101), ("new", 104)):
        etc = tmp_path / container / "etc"
        etc.mkdir(parents=True)
        (etc / "passwd").write_text(f"root:x:0:0::/:\northanc:x:{number}:5::/:\n", "utf-8")
        (etc / "group").write_text("root:x:0:\n", "utf-8")
    images = tmp_path / "old/var/lib/orthanc/a"
    images.mkdir(parents=True)
    (images / "image").write_bytes(b"DICM")
    return Engine(tmp_path)


def put_back(root: Path) -> None:
    """What a container's first process does; the container is a folder."""
    listed = root / WAITING.strip("/") / "folders"
    if listed.exists():
        listed.write_text("".join(f"{root}{line}\n" for line in listed.read_text("utf-8").splitlines()), "utf-8")
        nested = root / WAITING.strip("/") / str(root).strip("/")
        nested.mkdir(parents=True)
        (root / WAITING.strip("/") / "var").rename(nested / "var")
    subprocess.run(["sh", "-ec", PUT_BACK.replace(WAITING, f"{root}{WAITING}")], check=True)


def test_what_is_carried_replaces_what_the_image_has(engine: Engine, tmp_path: Path) -> None:
    stale = tmp_path / "new/var/lib/orthanc/of-the-image"
    stale.mkdir(parents=True)
    assert carry(cast("Docker", engine), "old", "new", ["/var/lib/orthanc", "/var/lib/none"], tmp_path) == [
        "/var/lib/orthanc"
    ]
    assert stale.exists()
    for _ in range(2):  # the second start finds nothing that waits
        put_back(tmp_path / "new")
        assert (tmp_path / "new/var/lib/orthanc/a/image").read_bytes() == b"DICM"
        assert not stale.exists()
        assert not (tmp_path / "new" / WAITING.strip("/")).exists()


def test_files_belong_to_the_same_names_although_their_numbers_differ(engine: Engine, tmp_path: Path) -> None:
    passwd = tmp_path / "old/etc/passwd"
    passwd.write_text(passwd.read_text("utf-8").replace("101", str((tmp_path / "old").stat().st_uid)), "utf-8")
    passwd.write_text(passwd.read_text("utf-8").replace("root:x:0:", "root:x:4242:"), "utf-8")
    carry(cast("Docker", engine), "old", "new", ["/var/lib/orthanc"], tmp_path)
    assert engine.owners["orthanc/a/image"][0] == 104


def test_what_waits_in_a_container_that_never_started_is_carried_on(engine: Engine, tmp_path: Path) -> None:
    carry(cast("Docker", engine), "old", "new", ["/var/lib/orthanc"], tmp_path)
    (tmp_path / "new/var/lib/orthanc/of-the-image").mkdir(parents=True)
    (tmp_path / "third/etc").mkdir(parents=True)
    for name in ("passwd", "group"):
        (tmp_path / "third/etc" / name).write_bytes((tmp_path / "new/etc" / name).read_bytes())
    carry(cast("Docker", engine), "new", "third", ["/var/lib/orthanc"], tmp_path)
    put_back(tmp_path / "third")
    assert (tmp_path / "third/var/lib/orthanc/a/image").read_bytes() == b"DICM"

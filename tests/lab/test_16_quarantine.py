"""What archives hold is listed, released and discarded by the operator; others are refused, and all is recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.hospital.archive import Archive
from lab.hospital.collected import Collected
from tests.lab_commands import pacslab, succeed

if TYPE_CHECKING:
    from lab.engine.lab import Lab

ARCHIVE, SCANNER, FOLDER = "pacs-rad", "ct1", "/tmp/pacslab-unscheduled"  # noqa: S108 # on a lab host
RECORDED_WITHIN = 20.0
DECIDE = ["pacslab-image-manager", "release", "1"]


def test_objects_that_nobody_announced_are_decided_on_by_the_operator_alone(clone: Lab) -> None:
    mark, log = Collected(clone).mark(ARCHIVE), Collected(clone)
    assert clone.run(SCANNER, ["pacslab-modality", "generate", FOLDER, "2"], timeout=120).code == 0
    assert clone.run(SCANNER, ["pacslab-modality", "store", f"{FOLDER}/"], timeout=120).code == 0
    clone.run(SCANNER, ["rm", "-r", FOLDER])
    held = succeed("quarantine", "list", ARCHIVE, "--lab", clone.name, "--json").json
    first, second = [entry for entry in held if entry["ae_title"] == clone.site.hosts[SCANNER].ae_title]
    assert {entry["reason"] for entry in (first, second)} == {"unscheduled"}

    for user in ("orthanc", "haproxy"):
        assert clone.run(ARCHIVE, DECIDE, user=user).code == 1
        assert log.wait(ARCHIVE, mark, action="command", reason="other-user", user=user, timeout=RECORDED_WITHIN)
    assert Archive(clone, ARCHIVE).instances(first["study"]) == []

    succeed("quarantine", "release", ARCHIVE, str(first["id"]), "--lab", clone.name)
    succeed("quarantine", "discard", ARCHIVE, str(second["id"]), "--lab", clone.name)
    (stored,) = Archive(clone, ARCHIVE).instances(first["study"])
    assert stored.tag("SOPInstanceUID") == first["instance"]
    for entry, state in ((first, "released"), (second, "discarded")):
        assert log.wait(
            ARCHIVE, mark, action="resolve-object", instance=entry["instance"], state=state, user="root",
            timeout=RECORDED_WITHIN,
        )  # fmt: skip
    assert pacslab("quarantine", "release", ARCHIVE, str(first["id"]), "--lab", clone.name).code == 2

"""A file of an archive is changed on its host."""

from __future__ import annotations

from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from lab.hospital.hospital import Actor, why
from lab.scenarios.failure import NothingToJudge, require
from lab.scenarios.monitoring.deed import Attempt, Deed
from lab.scenarios.monitoring.faults import TAKEN_BACK_WITHIN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.scenarios.monitoring.facts import Scene

ARCHIVE = Actor("primary-archive")
ROLE = "file_integrity"
SETTINGS = "/etc/orthanc/ingest.json"
ASIDE = "/run/pacslab-exercise.json"
CHANGE = f"cp -a {SETTINGS} {ASIDE} && printf '\\n' >>{SETTINGS}"
RESTORE = f"[ ! -e {ASIDE} ] || {{ cp -a {ASIDE} {SETTINGS} && rm {ASIDE}; }}"


def _changed(stage: Scene) -> Attempt:
    """Add a line feed, which means nothing, to a file of settings; the archive does not read it again."""
    site = stage.hospital.site
    found = [host for host in ARCHIVE.hosts(site) if ROLE in site.hosts[host].roles]
    if not found:
        raise NothingToJudge(f"no archive of the site has role {ROLE}, which watches files")
    stage.acts(found[0])
    return Attempt(partial(_line_feed, stage, found[0]), frozenset({found[0]}))


@contextmanager
def _line_feed(stage: Scene, host: str) -> Iterator[str]:
    hospital = stage.hospital
    try:
        done = hospital.run(host, ["sh", "-c", CHANGE])
        require(done.code == 0, f"{SETTINGS} of {host} was not changed: {why(done)}")
        yield f"{SETTINGS} of {host} was changed"
    finally:
        mark = hospital.collected.mark(host)
        restored = hospital.run(host, ["sh", "-c", RESTORE])
        require(restored.code == 0, f"{SETTINGS} of {host} was not restored: {why(restored)}")
        # that it was put back is a change, too: it is told before anything else is tried
        hospital.collected.wait(host, mark, timeout=TAKEN_BACK_WITHIN, action="change-file", host_file=SETTINGS)


DEEDS = (
    Deed(
        "archive-file-changed", "A file of a PACS is changed", ARCHIVE, "", "file-changed", _changed, within=45.0,
    ),
)  # fmt: skip

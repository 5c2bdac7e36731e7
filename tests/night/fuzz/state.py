"""A state folder as a night's work leaves it, written by the product's own code."""

from __future__ import annotations

import json
import os
import time
from dataclasses import asdict
from typing import TYPE_CHECKING

from lab.engine.lock import locked
from lab.engine.record import LabRecord
from lab.events import Note
from lab.operate import background_forwards
from lab.operate.configured import Configured
from lab.operate.event_log import RunLog
from lab.operate.inputs import digests
from lab.operate.snapshot import FILE, SITE, Snapshot, copy_kept
from lab.results.manifest import Manifest
from lab.results.model import Observation, Outcome, Promise, judged
from lab.results.store import Run
from lab.settings import SNAPSHOTS
from lab.topology.load import load_site, site_path
from lab.trials.record import Tried
from lab.trust import ensure_pki, ensure_secrets
from lab.trust.issue import issue

if TYPE_CHECKING:
    from pathlib import Path

    from lab.topology.site import Site

SITE_NAME = "small-practice"
LAB = "small-practice"
CLONE = "clone"
KEPT = "monday"
ISSUED = "issued"
"""A folder of ``pki issue``, beside the state."""


def make_state(state: Path) -> Site:
    """Fill a new state folder with a lab, a clone, a snapshot, runs, forwards, and records of trials."""
    site = load_site(site_path(SITE_NAME))
    folder = state / LAB
    with locked(state, LAB):
        LabRecord.describe(LAB, site).save(folder)
        ensure_pki(site, folder)
        ensure_secrets(site, folder)
        wanted = digests(site, folder)
        Configured(folder).note({host: (f"id-{host}", wanted[host]) for host in site.hosts})
    log = RunLog(folder)
    log(Note("brought up"))
    log.close()
    _run(folder, site)
    forward = background_forwards.BackgroundForward(1, "no such start", 8443, next(iter(site.hosts)), 443, "ws1")
    background_forwards.note(folder, forward)
    _snapshot(state, folder, site)
    Tried(state).note("base", "a" * 32)
    issue(site, state.parent / ISSUED)
    return site


def _run(folder: Path, site: Site) -> None:
    manifest = Manifest(
        "verify",
        "0" * 40,
        None,
        site.name,
        "1",
        LAB,
        None,
        {},
        {},
        {"processors": 2},
        time.time(),
    )
    with Run(folder, "verify", manifest) as run:
        seen = (Observation("text", "command", time.time()),)
        promise = Promise("segmentation.completes", "It ends.")
        run.add(judged(promise, LAB, Outcome.PASSED, observed="all", observations=seen, facts={"port": 104}))
        run.add(judged(promise, LAB, Outcome.FAILED, expected="none", observed="some", remedy="Look."))


def _snapshot(state: Path, folder: Path, site: Site) -> None:
    kept = state / SNAPSHOTS / KEPT
    kept.parent.mkdir(mode=0o700)
    copy_kept(folder, kept)
    (kept / SITE).mkdir()
    (kept / SITE / "topology.yml").write_bytes(site.path.read_bytes())
    made = Snapshot(KEPT, site.name, LAB, time.time(), {**dict.fromkeys(site.hosts, "sha256:1"), "fabric": "sha256:1"})
    (kept / FILE).write_text(json.dumps(asdict(made)) + "\n", "utf-8")
    clone = state / CLONE
    copy_kept(kept, clone)
    topology = clone / SITE / "topology.yml"
    topology.parent.mkdir()
    topology.write_bytes(site.path.read_bytes())
    LabRecord(CLONE, site.name, str(topology), {}, snapshot=KEPT, images=made.images).save(clone)


def files(state: Path) -> list[Path]:
    """Every file that the state holds, and those of the issued folder beside it, relative to the state's parent."""
    return sorted(
        path.relative_to(state.parent)
        for top in (state, state.parent / ISSUED)
        for path in top.rglob("*")
        if path.is_file() and os.access(path, os.R_OK)
    )

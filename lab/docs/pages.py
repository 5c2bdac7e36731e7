"""Everything that is generated, most of it in ``docs/``: by path, with the text that belongs there."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from lab.ansible.site_playbook import SITE_PLAYBOOK, site_playbook
from lab.docs.abuse import cases_table
from lab.docs.audit import left_out_table, messages_table, others_table
from lab.docs.control_map import control_map_page, rules_table
from lab.docs.detections import abuses_table, logsources_table, measures_table
from lab.docs.detections import rules_table as detections_table
from lab.docs.drills import drills_table
from lab.docs.events import actions_table, keys_table, outcomes_table, reasons_table
from lab.docs.exit_codes import errors_table
from lab.docs.monitoring import deeds_table
from lab.docs.parts import renew
from lab.docs.people import actions_table as people_actions_table
from lab.docs.people import people_table, roles_table, separations_table
from lab.docs.profiles import profiles_table
from lab.docs.requirements import requirements_table
from lab.docs.roles import role_pages
from lab.docs.siem import datasets_table, fields_table, lines_table, programs_table
from lab.docs.topology import topology_page
from lab.docs.verbs import verbs_table
from lab.docs.weaknesses import weaknesses_table
from lab.settings import ROOT
from lab.topology.catalog import load_catalog
from lab.topology.graph import draw_svg
from lab.topology.load import load_site, site_path
from lab.topology.schema import SCHEMA_PATH, schema_text

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

DOCS = ROOT / "docs"
ROLES = DOCS / "roles"
PICTURE = DOCS / "reference-site.svg"
"""As ``pacslab graph --offline`` draws it."""

RENEWED: dict[str, Callable[[str], str]] = {
    "abuse.md": partial(renew, parts={"cases": cases_table}),
    "audit-and-monitoring.md": partial(renew, parts={"deeds": deeds_table}),
    "audit.md": partial(renew, parts={"messages": messages_table, "lines": others_table, "left-out": left_out_table}),
    "behaviour.md": partial(renew, parts={"measures": measures_table}),
    "detections.md": partial(
        renew, parts={"rules": detections_table, "abuses": abuses_table, "logsources": logsources_table}
    ),
    "drills.md": partial(renew, parts={"drills": drills_table}),
    "index.md": partial(renew, parts={"verbs": verbs_table}),
    "limits.md": partial(renew, parts={"weaknesses": weaknesses_table}),
    "controls.md": partial(renew, parts={"rules": rules_table}),
    "events.md": partial(
        renew,
        parts={
            "outcomes": outcomes_table,
            "actions": actions_table,
            "reasons": reasons_table,
            "keys": keys_table,
        },
    ),
    "event-schema.md": partial(
        renew,
        parts={
            "fields": fields_table,
            "datasets": datasets_table,
            "lines": lines_table,
            "programs": programs_table,
        },
    ),
    "exit-codes.md": partial(renew, parts={"errors": errors_table}),
    "troubleshooting.md": partial(renew, parts={"requirements": requirements_table}),
    "people.md": partial(
        renew,
        parts={
            "roles": roles_table,
            "people-actions": people_actions_table,
            "separations": separations_table,
            "people": people_table,
        },
    ),
    "pki.md": partial(renew, parts={"profiles": profiles_table}),
    "topology.md": topology_page,
}
"""Pages that are partly written by hand, with what renews them."""


def generated() -> dict[Path, str]:
    """Return the text of every generated file, and of every page with generated parts."""
    return {
        SCHEMA_PATH: schema_text(),
        SITE_PLAYBOOK: site_playbook(load_catalog()),
        PICTURE: draw_svg(load_site(site_path("reference")), None),
        DOCS / "control-map.md": control_map_page(),
        **{ROLES / name: text for name, text in role_pages().items()},
        **{DOCS / name: make((DOCS / name).read_text("utf-8")) for name, make in RENEWED.items()},
    }

"""The notifier tells the people whose roles handle incidents, through the mail server of the site's flow."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lab.access.policy import load_policy
from lab.topology.load import TRIALS_DIR
from simulators.settings import parse
from simulators.siem.notify.serve import channels_of
from tests.unit.roles.rendered import files_of, rendered_template
from tests.unit.site_builder import committed_site

MONITORING = committed_site("monitoring", TRIALS_DIR)
FILE = "/etc/pacslab/notifier-webhook"
NOWHERE = {"siem_notifier_webhook": "https://receiver.monitoring.internal/hook"}


def settings(**more: Any) -> dict[str, Any]:
    text = rendered_template(MONITORING, "srv1", "siem_notifier", "notifier.json.j2", **more)
    found: dict[str, Any] = json.loads(text)
    return found


def test_people_are_told_whose_roles_handle_incidents() -> None:
    roles = {name for name, role in load_policy().roles.items() if "handle-incidents" in role.may}
    people = {name for name, person in MONITORING.topology.people.items() if roles & set(person.roles)}
    assert people
    assert settings()["notifier"]["recipients"] == {name: f"{name}@monitoring.internal" for name in people}


def test_without_a_mail_server_nobody_is_told_by_mail() -> None:
    assert settings(flows_out=[])["notifier"]["recipients"] == {}


def test_the_service_reads_its_settings_as_they_are_written(tmp_path: Any) -> None:
    (tmp_path / "secret").write_text("x\n")
    written = settings(**NOWHERE)
    channels, server = channels_of(parse(written), written["notifier"], tmp_path / "secret")
    assert [channel.recipient.name for channel in channels] == [
        "l.tanaka@monitoring.internal", "k.osei@monitoring.internal", "receiver.monitoring.internal",
    ]  # fmt: skip
    assert server is not None
    assert (server.port, server.identity) == (465, "mail-service.mail1.monitoring.internal")


@pytest.mark.parametrize(("given", "webhook"), [({}, None), (NOWHERE, "https://receiver.monitoring.internal/hook")])
def test_a_webhook_is_there_by_setting_alone(given: dict[str, Any], webhook: str | None) -> None:
    told = settings(**given)["notifier"]["webhook"]
    assert (told["url"] if told else None) == webhook


def test_the_secret_is_the_services_own() -> None:
    file = files_of(MONITORING, "srv1", "siem_notifier")[FILE]
    assert (file.mode, file.owner, file.secret) == ("0600", "siem-notifier", True)

"""The archives are closed but for what their edges let in; judged on the running hosts, not by their configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from testinfra.host import Host  # type: ignore[import-untyped]  # it carries no types

    On = Callable[[str], Host]

ARCHIVES = ["pacs-rad", "vna1"]
REST = "http://127.0.0.1:8042"


def status(host: Host, path: str, *options: str) -> str:
    """Return the HTTP status of a REST request on the archive's own host."""
    words = " ".join(options)
    return str(host.check_output(f"curl --silent --output /dev/null --write-out '%{{http_code}}' {words} {REST}{path}"))


def password(host: Host) -> str:
    """Return curl's option for the archive's own password."""
    line = host.check_output("grep '^user' /etc/orthanc/health.curl")
    return "--user '{}'".format(line.split('"')[1])


@pytest.mark.parametrize("name", ARCHIVES)
def test_the_rest_interface_wants_a_password(on: On, name: str) -> None:
    assert status(on(name), "/system") == "401"
    assert status(on(name), "/system", "--user orthanc:orthanc") == "401"
    assert status(on(name), "/system", password(on(name))) == "200"


@pytest.mark.parametrize("name", ARCHIVES)
@pytest.mark.parametrize(
    ("path", "options"),
    [
        ("/tools/execute-script", "--data 'print(1)'"),
        ("/webdav/", "--request PROPFIND"),
        ("/app/explorer.html", ""),
        ("/wado?requestType=WADO&studyUID=1&seriesUID=1&objectUID=1", ""),
    ],
)
def test_what_nobody_needs_is_off(on: On, name: str, path: str, options: str) -> None:
    assert status(on(name), f"'{path}'", password(on(name)), options) in {"403", "404", "405"}


@pytest.mark.parametrize("name", ARCHIVES)
def test_a_workstation_reaches_the_edges_and_nothing_behind_them(on: On, name: str) -> None:
    address = on(name).check_output("hostname --all-ip-addresses").split()[0]
    reached = {
        port
        for port in (2762, 8443, 4242, 8042, 12575)
        if on("ws-rad1").run(f"timeout 3 bash -c 'echo > /dev/tcp/{address}/{port}'").rc == 0
    }
    assert reached == {2762, 8443}


@pytest.mark.parametrize("name", ARCHIVES)
def test_the_process_has_no_privileges_and_cannot_get_any(on: On, name: str) -> None:
    (process,) = on(name).process.filter(comm="Orthanc")
    assert process.user == "orthanc"
    facts = dict(
        line.split(":\t", 1) for line in on(name).file(f"/proc/{process.pid}/status").content_string.splitlines()
    )
    assert facts["NoNewPrivs"] == "1"
    assert int(facts["CapBnd"], 16) == 0
    assert facts["Seccomp"] == "2"


@pytest.mark.parametrize("name", ARCHIVES)
def test_small_segments_are_sent_at_once(on: On, name: str) -> None:
    (process,) = on(name).process.filter(comm="Orthanc")
    assert "TCP_NODELAY=1" in on(name).file(f"/proc/{process.pid}/environ").content_string.split("\0")


@pytest.mark.parametrize("name", ARCHIVES)
@pytest.mark.parametrize(
    ("path", "owner"),
    [
        ("/etc/orthanc/pacslab.json", "root"),
        ("/etc/orthanc/health.curl", "root"),
        ("/etc/pacslab/image-manager.json", "root"),
        ("/etc/haproxy/conf.d/40-dicomweb.cfg", "root"),
        ("/etc/pacslab/tls/database.key", "orthanc"),
        ("/etc/pacslab/tls/dicom.key", "haproxy"),
        ("/etc/pacslab/tls/dicom.pem", "haproxy"),
        ("/var/lib/orthanc/storage", "orthanc"),
        ("/var/lib/pacslab-image-manager", "image-manager"),
    ],
)
def test_secrets_and_images_are_not_for_everybody(on: On, name: str, path: str, owner: str) -> None:
    found = on(name).file(path)
    assert found.user == owner
    assert found.mode & 0o007 == 0


@pytest.mark.parametrize("name", ARCHIVES)
def test_the_image_manager_is_nobody_else(on: On, name: str) -> None:
    (process,) = [one for one in on(name).process.filter(user="image-manager") if "serve" in one.args]
    assert on(name).run(f"runuser --user=image-manager -- cat /etc/pacslab/tls/dicom.key /proc/{process.pid}/maps").rc

"""Software that no one here wrote works with what a bundle hands over; what it may not do is refused, and seen.

DCMTK is a scanner, hl7apy and python-hl7 are a health record, dicomweb-client is a viewer, and an Orthanc of Debian is
another maker's archive and the system of an old scanner without TLS.
"""

from __future__ import annotations

import base64
import json
import os
import secrets
import shutil
import subprocess
import sys
import time
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from pydicom import dcmread
from pydicom.encaps import encapsulate
from pydicom.uid import UID

from lab.engine.lab import Lab
from lab.hospital.archive import Archive
from lab.hospital.collected import Collected
from lab.hospital.hospital import Hospital
from tests.lab.foreign_devices import messages
from tests.lab.foreign_devices.images import PIXELS, image_of
from tests.lab.foreign_devices.site import NAME, prepare
from tests.lab_commands import pacslab, succeed, until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pydicom import Dataset

LAB = "test-devices"
TOGETHER_WITHIN = 60
GIVEN_UP_WITHIN = 300
"""Seconds in which an archive has tried as often as it may to send something on."""
READER = Path(__file__).with_name("foreign_devices") / "reader.py"
MLLP_SEND = Path(sys.executable).with_name("mllp_send")
pytestmark = [
    pytest.mark.night,  # its site is another one, with a lab of its own
    pytest.mark.skipif(os.geteuid() != 0, reason="only root may enter a host's network"),
    pytest.mark.skipif(shutil.which("storescu") is None, reason="DCMTK is not installed: make setup-test"),
]


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A lab of the site, in which two devices are an Orthanc of Debian."""
    inventories = tmp_path_factory.mktemp("sites") / "inventories"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PACSLAB_INVENTORIES", str(inventories))
        prepare(inventories)
        try:
            succeed("up", "--site", NAME, "--lab", LAB)
            yield Lab.open(LAB)
        finally:
            succeed("down", "--lab", LAB)


@pytest.fixture(scope="module")
def bundles(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The bundles of scanner and viewer, as they are handed over."""
    folders = {host: tmp_path_factory.mktemp("bundles") / host for host in ("ct9", "ws9")}
    for host, folder in folders.items():
        succeed("pki", "bundle", host, "--to", str(folder), "--lab", lab.name)
    return folders


def as_host(host: str, *command: str) -> subprocess.CompletedProcess[str]:
    """Run a program of this machine in a host's place."""
    argv = [sys.executable, "-m", "lab.cli.main", "as", host, "--lab", LAB, "--", *command]
    return subprocess.run(argv, capture_output=True, text=True, check=False, timeout=120)


def tls(folder: Path) -> list[str]:
    """What DCMTK is told of a bundle."""
    key, certificate = folder / "dicom-client.key", folder / "dicom-client.crt"
    return ["--enable-tls", str(key), str(certificate), "--add-cert-file", str(folder / "ca.crt")]


def dcmtk(tool: str, lab: Lab, bundles: dict[str, Path], host: str, target: str, *words: str) -> Any:
    """Run one of DCMTK's callers as a host that holds a bundle."""
    titles = ["--aetitle", str(lab.site.hosts[host].ae_title), "--call", str(lab.site.hosts[target].ae_title)]
    port = str(lab.site.services(target)["dicom-tls"].port)
    options, files = [word for word in words if not word.endswith(".dcm")], [w for w in words if w.endswith(".dcm")]
    return as_host(host, tool, *tls(bundles[host]), *titles, *options, lab.site.fqdn(target), port, *files)


def acknowledged(message: str, folder: Path) -> str:
    """Send a message as the record, with python-hl7's tool, and return the acknowledgement's code and text."""
    path = folder / "message.hl7"
    path.write_text(message, "utf-8")
    done = as_host("ehr9", str(MLLP_SEND), "--port", "11300", "--file", str(path), "127.0.0.1")
    found = [segment for segment in done.stdout.splitlines() if segment.startswith("MSA|")]
    assert found, (done.returncode, done.stdout, done.stderr)
    return found[0]


def control_id() -> str:
    return secrets.token_hex(8).upper()


@pytest.fixture(scope="module")
def steps(lab: Lab, bundles: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Dataset]:
    """What the worklist says of an examination at the scanner with TLS, and of one at that without, by host."""
    folder = tmp_path_factory.mktemp("worklist")
    site = lab.site.name
    assert "MSA|AA|" in acknowledged(messages.registration(site, control_id()), folder)
    for modality in ("CT", "US"):
        placer = f"P{control_id()}"[:12]
        assert "MSA|AA|" in acknowledged(messages.order(site, control_id(), placer, modality), folder)
    return {
        "ct9": worklist(lambda *words: dcmtk("findscu", lab, bundles, "ct9", "ris1", *words), folder / "ct9"),
        "us9": worklist(
            lambda *words: as_host(
                "us9", "findscu", "--aetitle", "US9", "--call", "RIS1", *words, "127.0.0.1", "11201"
            ),
            folder / "us9",
        ),
    }


def worklist(find: Callable[..., Any], folder: Path) -> Dataset:
    """Query the worklist, and return its one step."""
    folder.mkdir()
    keys = ["PatientName", "PatientID", "IssuerOfPatientID", "PatientBirthDate", "PatientSex", "AccessionNumber"]
    keys += ["StudyInstanceUID", "RequestedProcedureID", "ScheduledProcedureStepSequence[0].Modality"]
    keys += ["ScheduledProcedureStepSequence[0].ScheduledStationAETitle"]
    done = find("--worklist", "--extract", "--output-directory", str(folder), *(w for key in keys for w in ("-k", key)))
    assert done.returncode == 0, done.stderr
    (answer,) = folder.glob("*.dcm")
    return dcmread(answer)


def held(lab: Lab, study: str) -> list[str]:
    """Images of a study in the primary archive."""
    return [image.tag("SOPInstanceUID") for image in Archive(Hospital(lab), "pacs1").instances(study)]


def rest(lab: Lab, host: str, path: str, content: Any = None, *, raw: bool = False) -> Any:
    """Ask the REST interface of a device's own Orthanc, which listens on its loopback."""
    program = (
        "import base64,sys,urllib.request as u; data = sys.stdin.buffer.read() or None; "
        "got = u.urlopen(u.Request('http://127.0.0.1:8042' + sys.argv[1], data), timeout=20).read(); "
        "print(base64.b64encode(got).decode())"
    )
    text = content if isinstance(content, str | bytes) else json.dumps(content) if content is not None else ""
    body = text.encode() if isinstance(text, str) else text
    done = lab.run_from_place(host, ["python3", "-c", program, path], input=body)
    assert done.code == 0, done.stderr
    answer = base64.b64decode(done.stdout)
    return answer if raw else json.loads(answer)


def wait(promise: Callable[[], bool], seconds: float = TOGETHER_WITHIN) -> bool:
    deadline = time.monotonic() + seconds
    while not (kept := promise()) and time.monotonic() < deadline:
        time.sleep(0.5)
    return kept


def test_devices_are_healthy_by_probe_and_places_run(lab: Lab) -> None:
    health = lab.health()
    assert all(known.healthy for known in health.values()), health
    assert [service.name for service in health["vna9"].services] == ["dicom-tls"]
    assert health["ct9"].services == ()


def test_a_record_of_another_maker_registers_and_orders_and_both_scanners_see_their_own_steps(
    steps: dict[str, Dataset],
) -> None:
    for host, modality in (("ct9", "CT"), ("us9", "US")):
        step = steps[host].ScheduledProcedureStepSequence[0]
        assert (step.Modality, step.ScheduledStationAETitle) == (modality, host.upper())
        assert (str(steps[host].PatientName), steps[host].PatientID) == (messages.NAME, messages.PATIENT)


def test_a_message_of_another_sender_is_refused_and_on_record(lab: Lab, tmp_path: Path) -> None:
    mark = Collected(lab).mark("ris1")
    forged = messages.registration(lab.site.name, control_id(), "1-2-3").replace("|EHR9|", "|OTHER|")
    assert "MSA|AR|" in acknowledged(forged, tmp_path)
    assert Collected(lab).wait("ris1", mark, timeout=30, outcome="refused", certificate=lab.site.fqdn("ehr9"))


def test_a_scanner_stores_over_tls_and_the_other_makers_archive_has_it_too(
    lab: Lab, bundles: dict[str, Path], steps: dict[str, Dataset], tmp_path: Path
) -> None:
    uid, image = image_of(steps["ct9"], tmp_path)
    done = dcmtk("storescu", lab, bundles, "ct9", "pacs1", str(image))
    assert done.returncode == 0, done.stderr
    assert uid in held(lab, steps["ct9"].StudyInstanceUID)

    def archived() -> bool:
        wanted = {"Level": "Instance", "Query": {"SOPInstanceUID": uid}}
        return len(rest(lab, "vna9", "/tools/find", wanted)) == 1

    assert wait(archived)


def test_an_association_is_answered_at_once(lab: Lab, bundles: dict[str, Path]) -> None:
    mark = Collected(lab).mark("pacs1")
    assert dcmtk("echoscu", lab, bundles, "ct9", "pacs1").returncode == 0
    line = Collected(lab).wait("pacs1", mark, timeout=30, action="associate", ae_title="CT9", outcome="success")
    assert line is not None
    assert line["data"]["milliseconds"] < 5000


def test_a_scanner_without_tls_stores_and_asks_for_commitment_through_its_shim(
    lab: Lab, steps: dict[str, Dataset], tmp_path: Path
) -> None:
    uid, image = image_of(steps["us9"], tmp_path, "UltrasoundImageStorage")
    plain = ["--aetitle", "US9", "--call", "PACS1", "127.0.0.1", "11200"]
    done = as_host("us9", "storescu", *plain, str(image))
    assert done.returncode == 0, done.stderr
    assert uid in held(lab, steps["us9"].StudyInstanceUID)
    wanted = {"DicomInstances": [[dcmread(image).SOPClassUID, uid]]}
    asked = rest(lab, "us9", "/modalities/pacs/storage-commitment", wanted)["ID"]
    assert wait(lambda: rest(lab, "us9", f"/storage-commitment/{asked}")["Status"] != "Pending")
    assert rest(lab, "us9", f"/storage-commitment/{asked}")["Status"] == "Success"


def unhealthy(lab: Lab, host: str) -> bool:
    """Whether a host is not healthy by now."""
    return not lab.health()[host].healthy


def failures(lab: Lab, host: str) -> list[tuple[str, str]]:
    """The services of a host that are not healthy, each with its probe's answer."""
    return [(service.name, service.detail) for service in lab.health()[host].services if not service.healthy]


def store_encoded(step: Dataset, folder: Path, syntax: str, kind: str) -> Dataset:
    """Send an image in an encoding (PS3.5 A.4) as the scanner without TLS, and return it as it was sent."""
    _, path = image_of(step, folder, kind)
    image = dcmread(path)
    image.file_meta.TransferSyntaxUID = UID(f"1.2.840.10008.1.2.4.{syntax}")
    image.PixelData = encapsulate([secrets.token_bytes(4096)])
    image["PixelData"].VR, image["PixelData"].is_undefined_length = "OB", True
    image.save_as(path)
    store = [sys.executable, "-m", "pynetdicom", "storescu", "--required-contexts", "-aet", "US9", "-aec", "PACS1"]
    done = as_host("us9", *store, "127.0.0.1", "11200", str(path))
    assert done.returncode == 0, done.stderr
    return image


@pytest.mark.parametrize("syntax", ["90", "100", "102", "107"], ids=["JPEG 2000", "MPEG-2", "H.264", "HEVC"])
def test_every_encoding_of_images_is_stored_and_sent_on_untouched(
    lab: Lab, steps: dict[str, Dataset], tmp_path: Path, syntax: str
) -> None:
    kind = "CTImageStorage" if syntax == "90" else "VideoEndoscopicImageStorage"
    image = store_encoded(steps["us9"], tmp_path, syntax, kind)
    wanted = {"Level": "Instance", "Query": {"SOPInstanceUID": image.SOPInstanceUID}}
    assert wait(lambda: len(rest(lab, "vna9", "/tools/find", wanted)) == 1)
    (kept,) = rest(lab, "vna9", "/tools/find", wanted)
    got = dcmread(BytesIO(rest(lab, "vna9", f"/instances/{kept}/file", raw=True)))
    assert got.file_meta.TransferSyntaxUID == image.file_meta.TransferSyntaxUID
    assert got.PixelData == image.PixelData


def test_an_encoding_that_the_other_makers_archive_does_not_know_is_kept_and_named(
    lab: Lab, steps: dict[str, Dataset], tmp_path: Path
) -> None:
    """Orthanc 1.12.7, the other maker's, knows no HTJ2K: somebody has to decide what becomes of such an image there."""
    image = store_encoded(steps["us9"], tmp_path, "201", "CTImageStorage")
    assert image.SOPInstanceUID in held(lab, steps["us9"].StudyInstanceUID)

    def aside() -> list[dict[str, Any]]:
        done = lab.run("pacs1", ["pacslab-image-manager", "set-aside", "--json"])
        assert done.code == 0, done.stderr
        return [row for row in json.loads(done.stdout) if row["state"] == "set aside"]

    try:
        assert wait(lambda: aside() != [], GIVEN_UP_WITHIN)
        assert until(partial(unhealthy, lab, "pacs1"))
        assert "set aside" in dict(failures(lab, "pacs1"))["corrections"]
    finally:
        for row in aside():
            assert lab.run("pacs1", ["pacslab-image-manager", "set-aside", "--drop", str(row["id"])]).code == 0
    assert until(lambda: not unhealthy(lab, "pacs1"))
    assert image.SOPInstanceUID in held(lab, steps["us9"].StudyInstanceUID)


def test_behind_a_shim_another_ae_title_is_refused_and_on_record(lab: Lab) -> None:
    mark = Collected(lab).mark("pacs1")
    done = as_host("us9", "echoscu", "--aetitle", "CT9", "--call", "PACS1", "127.0.0.1", "11200")
    assert done.returncode != 0
    line = Collected(lab).wait("pacs1", mark, timeout=30, outcome="refused", certificate=lab.site.fqdn("us9"))
    assert line is not None
    assert line["data"]["reason"] == "ae-mismatch"


def test_nobody_reaches_a_device_past_its_shim(lab: Lab) -> None:
    port = next(entry.port for entry in lab.site.services("us9").values() if entry.beside)
    address = str(lab.site.hosts["us9"].address)
    tried = ["python3", "-c", "import socket,sys; socket.create_connection((sys.argv[1], int(sys.argv[2])), 2)"]
    assert lab.run_from_place("us9", [*tried, "127.0.0.1", str(port)]).code == 0
    for host in ("gw1", "pacs1", "ct9"):
        assert lab.run_from_place(host, [*tried, address, str(port)]).code != 0


def test_what_a_scanner_may_not_ask_is_refused_and_on_record(lab: Lab, bundles: dict[str, Path]) -> None:
    mark = Collected(lab).mark("pacs1")
    done = dcmtk("findscu", lab, bundles, "ct9", "pacs1", "-S", "-k", "QueryRetrieveLevel=STUDY", "-k", "PatientID")
    assert "Success" not in done.stderr
    assert Collected(lab).wait(
        "pacs1", mark, lambda line: "Find" in line["message"] and "CT9" in line["message"], timeout=30
    )


def test_without_a_certificate_nobody_gets_in(lab: Lab) -> None:
    port = str(lab.site.services("pacs1")["dicom-tls"].port)
    done = as_host("ct9", "echoscu", "--aetitle", "CT9", "--call", "PACS1", lab.site.fqdn("pacs1"), port)
    assert done.returncode != 0


def test_a_viewer_finds_and_reads_what_the_scanner_stored(
    lab: Lab, bundles: dict[str, Path], steps: dict[str, Dataset], tmp_path: Path
) -> None:
    uid, image = image_of(steps["ct9"], tmp_path)
    assert dcmtk("storescu", lab, bundles, "ct9", "pacs1", str(image)).returncode == 0
    study = str(steps["ct9"].StudyInstanceUID)
    port = lab.site.services("pacs1")["dicomweb-tls"].port
    url = f"https://{lab.site.fqdn('pacs1')}:{port}/dicom-web"
    done = as_host("ws9", sys.executable, str(READER), str(bundles["ws9"]), url, study)
    assert done.returncode == 0, done.stderr
    got = json.loads(done.stdout)
    assert got["studies"] == [study]
    assert got["images"][uid] == [messages.PATIENT, PIXELS]
    found = dcmtk("findscu", lab, bundles, "ws9", "pacs1", "-S", "-k", "QueryRetrieveLevel=STUDY", "-k",
                  f"StudyInstanceUID={study}", "-k", "PatientID")  # fmt: skip
    assert found.returncode == 0
    assert messages.PATIENT in found.stdout + found.stderr


def test_exactly_the_declared_flows_of_devices_connect(lab: Lab) -> None:
    words = ("verify", "segmentation", "--lab", lab.name, "--host", "ct9", "--host", "us9", "--host", "vna9", "--json")
    ran = pacslab(*words, timeout=600)
    assert ran.code == 0, ran.out[-3000:]


def test_a_device_that_ended_is_named_and_started_again(lab: Lab) -> None:
    for host, container in (("vna9", lab.container("vna9")), ("us9", f"{lab.container('us9')}.device")):
        lab.docker.stop(container, 10)
        assert until(partial(unhealthy, lab, host))
        ran = pacslab("status", "--lab", lab.name)
        assert ran.code == 3
        assert "container exited" in next(line for line in ran.out.splitlines() if line.startswith(host))
        succeed("up", "--lab", lab.name)
        assert lab.health()[host].healthy


def test_a_device_follows_its_shim_into_a_new_network(lab: Lab) -> None:
    lab.docker.call("POST", f"/containers/{lab.container('us9')}/restart", query={"t": "100"}, timeout=200)
    succeed("up", "--lab", lab.name)
    assert as_host("us9", "echoscu", "--aetitle", "X", "--call", "US9", "127.0.0.1", "11112").returncode == 0


def test_a_rotated_certificate_is_in_the_next_bundle_and_the_former_is_refused(
    lab: Lab, bundles: dict[str, Path], tmp_path: Path
) -> None:
    succeed("pki", "rotate", "ct9", "--lab", lab.name)
    assert wait(lambda: dcmtk("echoscu", lab, bundles, "ct9", "pacs1").returncode != 0)
    folder = tmp_path / "ct9"
    succeed("pki", "bundle", "ct9", "--to", str(folder), "--lab", lab.name)
    assert dcmtk("echoscu", lab, {"ct9": folder}, "ct9", "pacs1").returncode == 0

"""Every kind of object that is made passes dciodvfy, belongs to its order, and names what it refers to.

The judge is needed: install dicom3tools.
"""

from __future__ import annotations

import io
from functools import partial
from typing import TYPE_CHECKING

import pytest
from PIL import Image
from pydicom import dcmread
from pydicom.sr.coding import Code

from simulators.errors import ArgumentError
from simulators.imaging.acquire import DEFAULT_IMAGES, images_of
from simulators.imaging.ct import ct_series
from simulators.imaging.derived import key_objects, measurement_report, presentation_state
from simulators.imaging.dx import dx_series
from simulators.imaging.jpeg import photograph
from simulators.imaging.mr import mr_series
from simulators.imaging.pdf import encapsulated_pdf
from simulators.imaging.phantom import cylinder
from simulators.imaging.report import ReportText, text_report
from simulators.imaging.roi import Circle, measure
from simulators.imaging.samples import sample_jpeg, sample_pdf
from simulators.imaging.us import us_series
from simulators.imaging.validate import judge
from tests.unit.simulators.imaging.study import AUTHOR, context, ramp

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from pydicom.dataset import Dataset

CIRCLE = Circle(20, 16, 5)


def reencoded(**how: object) -> bytes:
    """The sample photograph, saved in another way."""
    target = io.BytesIO()
    picture = Image.open(io.BytesIO(sample_jpeg()))
    picture.convert(str(how.pop("mode", "RGB"))).save(target, "JPEG", **how)  # type: ignore[arg-type]
    return target.getvalue()


def ct() -> Dataset:
    return next(ct_series(context(), ramp()))


def mr() -> Dataset:
    return next(mr_series(context(), 1))


def measured(image: Dataset) -> Dataset:
    return measurement_report(
        image, AUTHOR, circle=CIRCLE, statistics=measure(image, CIRCLE), label="lesion 1", number=903
    )


KINDS: dict[str, Callable[[], Iterable[Dataset]]] = {
    "CT sections": lambda: ct_series(context(), ramp()),
    "CT phantom": lambda: ct_series(context(), cylinder(2, 64)),
    "MR, real and with noise": lambda: mr_series(context(), 2),
    "ultrasound: RGB, cine, palette": lambda: us_series(context(), 3),
    "radiograph": lambda: dx_series(context(), 1),
    **{
        f"{modality}, small": partial(images_of, modality, context(), 2, phantom=modality == "CT", size=32)
        for modality in DEFAULT_IMAGES
    },
    "photograph, baseline": lambda: [photograph(context(), sample_jpeg())],
    "photograph, 4:4:4": lambda: [photograph(context(), reencoded(subsampling=0))],
    "photograph, progressive": lambda: [photograph(context(), reencoded(progressive=True))],
    "photograph, grey": lambda: [photograph(context(), reencoded(mode="L"))],
    "photograph, CMYK": lambda: [photograph(context(), reencoded(mode="CMYK"))],
    "PDF": lambda: [encapsulated_pdf(context(), sample_pdf(["Requisition (urgent)"]))],
    "presentation state": lambda: [presentation_state(ct(), AUTHOR, text="Zyste", circle=CIRCLE, number=901)],
    "presentation state on MR": lambda: [presentation_state(mr(), AUTHOR, text="cyst", circle=CIRCLE, number=901)],
    "presentation state on colour": lambda: [
        presentation_state(image, AUTHOR, text="cyst", circle=CIRCLE, number=901) for image in us_series(context(), 2)
    ],
    "key objects": lambda: [key_objects([ct(), ct()], AUTHOR, description="for the report", number=902)],
    "rejection note": lambda: [
        key_objects(
            [ct(), ct()],
            AUTHOR,
            description="moved",
            number=905,
            title=Code("113001", "DCM", "Rejected for Quality Reasons"),
            modifier=(Code("113011", "DCM", "Document Title Modifier"), Code("111210", "DCM", "Motion blur")),
        )
    ],
    "measurements on CT": lambda: [measured(ct())],
    "measurements on MR": lambda: [measured(mr())],
    "report, verified": lambda: [
        text_report([ct()], AUTHOR, ReportText("Knötchen.", "Benign.", verified=True), number=904)
    ],
    "report, preliminary": lambda: [text_report([ct()], AUTHOR, ReportText("x", "y", verified=False), number=904)],
    "report, corrected": lambda: [
        text_report([ct()], AUTHOR, ReportText("x", "y", verified=True), number=904, corrected=[ct()])
    ],
}


@pytest.mark.parametrize("kind", KINDS)
def test_an_object_of_every_kind_has_no_errors_and_belongs_to_its_order(kind: str, tmp_path: Path) -> None:
    made = list(KINDS[kind]())
    assert made
    for number, dataset in enumerate(made):
        path = tmp_path / f"{number}.dcm"
        dataset.save_as(path, enforce_file_format=True)
        assert judge(path).errors == ()
        read = dcmread(path)
        assert read.StudyInstanceUID == "2.25.4711"
        assert read.AccessionNumber == "ACC1"
        assert read.PatientID == "P0001"
        assert read.PatientName == "Müller^Änne"
        assert read.PatientBirthDate == "19610102"


@pytest.mark.parametrize("modality", DEFAULT_IMAGES)
def test_a_small_image_has_the_rows_that_were_asked_for_and_pixels_of_its_own(modality: str) -> None:
    made = [
        image
        for seed in (1, 100)
        for image in images_of(modality, context(), 3, phantom=modality == "CT", size=32, seed=seed)
    ]
    assert {(image.Rows, image.Columns) for image in made} == {(32, 32)}
    assert {image.pixel_array.shape[:2] for image in made} == {(32, 32)}
    same = 1 if modality == "MR" else 0  # of MR the first image of a series is the section itself
    assert len({image.PixelData for image in made}) == len(made) - same


def test_a_matrix_out_of_bounds_is_refused() -> None:
    with pytest.raises(ArgumentError, match="rows"):
        images_of("MR", context(), 1, size=4000)


def test_the_judge_sees_what_is_wrong(tmp_path: Path) -> None:
    image = ct()
    del image.ImagePositionPatient
    image.save_as(tmp_path / "bad.dcm", enforce_file_format=True)
    assert any("ImagePositionPatient" in error for error in judge(tmp_path / "bad.dcm").errors)


def test_what_comes_from_pydicoms_examples_keeps_nothing_of_where_it_came_from() -> None:
    for dataset in [*mr_series(context(), 1), *us_series(context(), 3)]:
        text = str(dataset)
        for trace in ("Sssss", "AKH", "Wien", "SonoSite", "Philips", "CompressedSamples", "BAPTIST", "25641"):
            assert trace not in text
        assert not any(element.tag.is_private for element in dataset)


def test_palette_colour_is_not_annotated() -> None:
    palette = list(us_series(context(), 3))[2]
    with pytest.raises(ArgumentError, match="palette"):
        presentation_state(palette, AUTHOR, text="x", circle=CIRCLE, number=1)


def test_every_object_gets_identifiers_of_its_own() -> None:
    first, second = list(ct_series(context(), ramp())), list(ct_series(context(), ramp()))
    assert len({image.SOPInstanceUID for image in first + second}) == 8
    assert len({image.SeriesInstanceUID for image in first}) == 1
    assert first[0].SeriesInstanceUID != second[0].SeriesInstanceUID
    assert first[0].FrameOfReferenceUID != second[0].FrameOfReferenceUID


def test_a_report_refers_to_its_images_and_names_who_verified_it() -> None:
    image = ct()
    report = text_report([image], AUTHOR, ReportText("f", "i", verified=True), number=1)
    series = report.CurrentRequestedProcedureEvidenceSequence[0].ReferencedSeriesSequence[0]
    assert series.SeriesInstanceUID == image.SeriesInstanceUID
    assert series.ReferencedSOPSequence[0].ReferencedSOPInstanceUID == image.SOPInstanceUID
    assert report.VerifyingObserverSequence[0].VerifyingObserverName == "Reader^Rita"
    assert report.ReferencedRequestSequence[0].RequestedProcedureID == "RP1"


@pytest.mark.parametrize("kind", ["key objects", "measurements on CT", "report, verified"])
def test_a_document_names_the_order_that_it_answers(kind: str) -> None:
    (document,) = KINDS[kind]()
    (request,) = document.ReferencedRequestSequence
    image = ct()
    assert (request.AccessionNumber, request.StudyInstanceUID) == (image.AccessionNumber, image.StudyInstanceUID)
    assert request.RequestedProcedureID == "RP1"


def test_a_measurement_report_holds_the_statistics_of_the_pixels() -> None:
    image = ct()
    statistics = measure(image, CIRCLE)
    numbers: list[float] = []

    def collect(items: Iterable[Dataset]) -> None:
        for item in items:
            if item.ValueType == "NUM":
                numbers.append(float(item.MeasuredValueSequence[0].NumericValue))
            collect(item.get("ContentSequence", []))

    collect(measured(image).ContentSequence)
    wanted = [statistics.mean, statistics.deviation, statistics.minimum, statistics.maximum, statistics.area_mm2]
    assert numbers[-5:] == pytest.approx(wanted, rel=1e-6), "what precedes them describes the image"

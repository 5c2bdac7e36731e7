"""Pixels and geometry are right: what is measured in an image is what was put in."""

from __future__ import annotations

import io
import plistlib
import tarfile
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image
from pydicom import dcmread

from simulators.errors import ArgumentError, NotReadyError
from simulators.imaging.acquire import images_of
from simulators.imaging.ct import ct_series
from simulators.imaging.jpeg import baseline_of, photograph
from simulators.imaging.pdf import encapsulated_pdf
from simulators.imaging.phantom import cylinder, radiograph
from simulators.imaging.roi import HOUNSFIELD, Circle, measure
from simulators.imaging.samples import sample_jpeg, sample_pdf
from simulators.imaging.volume import load_head, resample
from tests.unit.simulators.imaging.study import context, ramp

if TYPE_CHECKING:
    from pathlib import Path


# --- CT ---------------------------------------------------------------------------------------


def test_stored_values_give_the_hounsfield_units_of_the_volume() -> None:
    volume = ramp()
    for section, image in zip(volume.voxels, ct_series(context(), volume), strict=True):
        units = image.pixel_array * float(image.RescaleSlope) + float(image.RescaleIntercept)
        assert np.array_equal(units, section)
        assert image.RescaleType == "HU"


def test_images_lie_where_the_volume_has_them() -> None:
    images = list(ct_series(context(), ramp()))
    positions = np.array([[float(coordinate) for coordinate in image.ImagePositionPatient] for image in images])
    assert np.allclose(np.diff(positions, axis=0), [0, 0, 1.5])
    assert np.allclose(positions[0], [-47 / 2 * 0.75, -31 / 2 * 0.5, -1.5 * 1.5])
    assert list(images[0].PixelSpacing) == [0.5, 0.75]
    assert list(images[0].ImageOrientationPatient) == [1, 0, 0, 0, 1, 0]
    assert [image.InstanceNumber for image in images] == [1, 2, 3, 4]
    assert all(image.SliceLocation == image.ImagePositionPatient[2] for image in images)


def test_resampling_keeps_place_and_value() -> None:
    volume = ramp(slices=3, rows=9, columns=9)
    finer = resample(volume, 5, 17)
    assert finer.voxels.shape == (5, 17, 17)
    assert np.array_equal(finer.voxels[::2, ::2, ::2], volume.voxels)
    assert finer.spacing == pytest.approx((0.75, 0.25, 0.375))
    assert np.array_equal(resample(volume, 3).voxels, volume.voxels)
    assert resample(volume, 1).voxels.shape == (1, 9, 9)


def test_the_packaged_head_is_read_with_rows_from_front_to_back(tmp_path: Path) -> None:
    matrix = np.arange(2 * 3 * 4, dtype="<i2").reshape(2, 3, 4)
    description = {
        "matrix": {"dtype": "int16", "filename": "matrix.dat", "shape": [2, 3, 4]},
        "spacing": [0.9, 1.1, 1.5],
    }
    path = tmp_path / "head.inv3"
    with tarfile.open(path, "w") as archive:
        for name, content in (("x/main.plist", plistlib.dumps(description)), ("x/matrix.dat", matrix.tobytes())):
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    head = load_head(path)
    assert np.array_equal(head.voxels, matrix[:, ::-1, :])
    assert head.spacing == (1.5, 1.1, 0.9)


def test_a_head_that_is_missing_or_something_else_is_said_to_be(tmp_path: Path) -> None:
    with pytest.raises(NotReadyError) as missing:
        load_head(tmp_path / "none")
    assert "invesalius-examples" in missing.value.remedy
    (tmp_path / "text").write_text("no archive")
    with pytest.raises(NotReadyError, match="cannot be read"):
        load_head(tmp_path / "text")


# --- synthetic --------------------------------------------------------------------------------


def test_the_phantom_is_the_same_for_a_seed_and_has_its_inserts() -> None:
    volume = cylinder(2, 128, seed=7)
    assert np.array_equal(volume.voxels, cylinder(2, 128, seed=7).voxels)
    assert not np.array_equal(volume.voxels, cylinder(2, 128, seed=8).voxels)
    image = next(ct_series(context(), volume))
    water, bone = measure(image, Circle(64, 64, 8)), measure(image, Circle(64, 0.68 * 128, 5))
    assert water.mean == pytest.approx(0, abs=3)
    assert water.deviation == pytest.approx(12, rel=0.25)
    assert bone.mean == pytest.approx(900, abs=10)
    assert np.array_equal(radiograph(64, 64, seed=3), radiograph(64, 64, seed=3))


def test_each_modality_makes_as_many_images_as_asked() -> None:
    for modality in ("MR", "US", "DX"):
        assert len(list(images_of(modality, context(), 4))) == 4
    assert len(list(images_of("CT", context(), 2, phantom=True, size=32))) == 2


@pytest.mark.parametrize(
    ("modality", "images", "phantom"), [("NM", 1, False), ("CT", 0, True), ("CT", 100_000, True), ("MR", 1, True)]
)
def test_what_cannot_be_made_is_refused(modality: str, images: int, *, phantom: bool) -> None:
    with pytest.raises(ArgumentError):
        images_of(modality, context(), images, phantom=phantom)


# --- measuring --------------------------------------------------------------------------------


def test_statistics_are_those_of_the_pixels_in_the_circle() -> None:
    image = next(ct_series(context(), ramp()))
    one = measure(image, Circle(10.5, 7.5, 0.4))
    assert (one.pixels, one.mean, one.deviation) == (1, 2 * 7 + 10, 0)
    many = measure(image, Circle(20, 16, 6))
    assert many.mean == pytest.approx(2 * 15.5 + 19.5, abs=0.05)
    assert many.area_mm2 == pytest.approx(np.pi * 36 * 0.5 * 0.75)
    assert many.unit == HOUNSFIELD


@pytest.mark.parametrize("circle", [Circle(2, 16, 5), Circle(20, 30, 5), Circle(20, 16, 0), Circle(20, 16, -1)])
def test_a_circle_outside_the_image_is_refused(circle: Circle) -> None:
    with pytest.raises(ArgumentError):
        measure(next(ct_series(context(), ramp())), circle)


def test_colour_images_are_not_measured() -> None:
    with pytest.raises(ArgumentError, match="grey"):
        measure(photograph(context(), sample_jpeg()), Circle(20, 16, 5))


# --- photographs and documents ----------------------------------------------------------------


def test_a_baseline_photograph_keeps_its_compressed_stream_without_metadata(tmp_path: Path) -> None:
    plain = sample_jpeg()
    exif = Image.Exif()
    exif[0x010E] = "Jane Doe, ward 7"
    target = io.BytesIO()
    Image.open(io.BytesIO(plain)).save(target, "JPEG", exif=exif, comment=b"Jane Doe")
    image = photograph(context(), target.getvalue())
    image.save_as(tmp_path / "photo.dcm", enforce_file_format=True)
    stored = (tmp_path / "photo.dcm").read_bytes()
    assert b"Jane Doe" not in stored
    assert image.file_meta.TransferSyntaxUID == "1.2.840.10008.1.2.4.50"
    assert image.PhotometricInterpretation == "YBR_FULL_422"
    expected = np.asarray(Image.open(io.BytesIO(target.getvalue())).convert("RGB"), dtype=int)
    decoded = dcmread(tmp_path / "photo.dcm").pixel_array.astype(int)
    assert np.abs(decoded - expected).mean() < 2


def test_a_photograph_that_lies_on_its_side_is_turned_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    target = io.BytesIO()
    Image.open(io.BytesIO(sample_jpeg())).save(target, "JPEG", exif=exif)
    image = photograph(context(), target.getvalue())
    assert (image.Rows, image.Columns) == (640, 480)
    assert image.PhotometricInterpretation == "RGB"
    assert image.LossyImageCompression == "01"


def test_a_damaged_or_foreign_file_is_refused() -> None:
    for source in (b"", b"\xff\xd8\xff", b"GIF89a", sample_jpeg()[:2000]):
        with pytest.raises(ArgumentError):
            photograph(context(), source)
    assert baseline_of(b"\xff\xd8\x00\x00") is None
    with pytest.raises(ArgumentError):
        encapsulated_pdf(context(), b"PK\x03\x04")


def test_a_document_comes_out_as_it_went_in() -> None:
    for source in (sample_pdf(["a"]), sample_pdf(["ab"])):
        dataset = encapsulated_pdf(context(), source)
        assert dataset.EncapsulatedDocument[: dataset.EncapsulatedDocumentLength] == source
        assert len(dataset.EncapsulatedDocument) % 2 == 0

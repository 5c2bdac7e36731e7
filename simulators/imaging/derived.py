"""Objects that refer to images: presentation states, key objects and measurements, made with highdicom."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import highdicom as hd
import numpy as np
from PIL import ImageCms
from pydicom.multival import MultiValue
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code

from simulators.errors import ArgumentError
from simulators.imaging.frame import new_uid
from simulators.imaging.request import refer_to_request
from simulators.imaging.roi import HOUNSFIELD

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydicom.dataset import Dataset

    from simulators.imaging.context import Equipment
    from simulators.imaging.roi import Circle, Statistics

OF_INTEREST = Code("113000", "DCM", "Of Interest")
"""Key Object Selection document title (PS3.16 CID 7010)."""

_RGB = 3


@dataclass(frozen=True)
class Author:
    """Who makes the object: a person at a workstation; where nobody is known, without a name, the workstation alone."""

    name: str
    organisation: str
    equipment: Equipment


def presentation_state(image: Dataset, author: Author, *, text: str, circle: Circle, number: int) -> Dataset:
    """A Grayscale or Color Softcopy Presentation State (PS3.3 A.33.1, A.33.2): a circle with a text on one image.

    A grey image keeps its window; a colour image is shown as sRGB.

    Raises:
        ArgumentError: the image has a palette, for which neither is meant.
    """
    colour = image.get("SamplesPerPixel") == _RGB
    if not colour and image.get("PhotometricInterpretation") not in {"MONOCHROME1", "MONOCHROME2"}:
        raise ArgumentError("Images in palette colour cannot be annotated.", remedy="Choose another with --instance.")
    layer = hd.pr.GraphicLayer("FINDINGS", order=1, description="Findings of the reader")
    ring = hd.pr.GraphicObject(
        graphic_type="CIRCLE",
        graphic_data=np.array([[circle.column, circle.row], [circle.column + circle.radius, circle.row]]),
        units="PIXEL",
    )
    note = hd.pr.TextObject(text, units="PIXEL", anchor_point=(circle.column + circle.radius, circle.row))
    common = {
        "referenced_images": [image],
        "content_label": "FINDINGS",
        "content_description": text[:64],
        "content_creator_name": author.name or None,
        "graphic_annotations": [
            hd.pr.GraphicAnnotation([image], graphic_layer=layer, graphic_objects=[ring], text_objects=[note])
        ],
        "graphic_layers": [layer],
        "institution_name": author.organisation,
        **_identity(number),
        **_device(author),
    }
    state: Dataset
    if colour:
        state = hd.pr.ColorSoftcopyPresentationState(icc_profile=_srgb(), **common)
    else:
        window = hd.pr.SoftcopyVOILUTTransformation(
            window_center=_first(image.get("WindowCenter"), 40.0), window_width=_first(image.get("WindowWidth"), 400.0)
        )
        state = hd.pr.GrayscaleSoftcopyPresentationState(voi_lut_transformations=[window], **common)
    # type 2C, which highdicom leaves out (PS3.3 C.7.3.1)
    if image.get("BodyPartExamined"):
        state.BodyPartExamined = image.BodyPartExamined
    else:
        state.Laterality = ""
    return state


def key_objects(
    instances: Sequence[Dataset],
    author: Author,
    *,
    description: str,
    number: int,
    title: Code = OF_INTEREST,
    modifier: tuple[Code, Code] | None = None,
) -> Dataset:
    """A Key Object Selection Document (PS3.3 A.35.4, PS3.16 TID 2010).

    Args:
        instances: what it names.
        author: who makes it.
        description: in the author's words.
        number: Series Number.
        title: of CID 7010.
        modifier: name and value of the Document Title Modifier, which some titles need.
    """
    content = hd.ko.KeyObjectSelection(
        document_title=title,
        referenced_objects=list(instances),
        **_observer(author),
        description=description or None,
    )
    if modifier is not None:
        name, value = modifier
        kind = hd.sr.RelationshipTypeValues.HAS_CONCEPT_MOD
        content[0].ContentSequence.insert(0, hd.sr.CodeContentItem(name=name, value=value, relationship_type=kind))
    document: Dataset = hd.ko.KeyObjectSelectionDocument(
        evidence=list(instances),
        content=content,
        manufacturer=author.equipment.manufacturer,
        institution_name=author.organisation,
        **_identity(number),
    )
    refer_to_request(document, instances[0])
    return document


def measurement_report(
    image: Dataset, author: Author, *, circle: Circle, statistics: Statistics, label: str, number: int
) -> Dataset:
    """A Comprehensive 3D SR with Imaging Measurements (PS3.16 TID 1500, TID 1410): statistics of a circular region."""
    source = hd.sr.SourceImageForRegion(image.SOPClassUID, image.SOPInstanceUID)
    region = hd.sr.ImageRegion(
        graphic_type=hd.sr.GraphicTypeValues.CIRCLE,
        graphic_data=np.array([[circle.column, circle.row], [circle.column + circle.radius, circle.row]]),
        source_image=source,
    )
    hounsfield = statistics.unit == HOUNSFIELD
    unit = Code(statistics.unit, "UCUM", "Hounsfield unit" if hounsfield else "no units")
    intensity = codes.DCM.AttenuationCoefficient if hounsfield else codes.DCM.MRSignalIntensity
    named = (
        (codes.SCT.Mean, statistics.mean),
        (codes.SCT.StandardDeviation, statistics.deviation),
        (codes.SCT.Minimum, statistics.minimum),
        (codes.SCT.Maximum, statistics.maximum),
    )
    measured = [hd.sr.Measurement(name=intensity, value=value, unit=unit, derivation=how) for how, value in named]
    measured.append(
        hd.sr.Measurement(name=codes.SCT.Area, value=statistics.area_mm2, unit=Code("mm2", "UCUM", "square millimeter"))
    )
    group = hd.sr.PlanarROIMeasurementsAndQualitativeEvaluations(
        tracking_identifier=hd.sr.TrackingIdentifier(uid=new_uid(), identifier=label),
        referenced_region=region,
        finding_type=codes.DCM.SelectedRegion,
        measurements=measured,
    )
    report = hd.sr.MeasurementReport(
        observation_context=hd.sr.ObservationContext(**_observer(author)),
        procedure_reported=_procedure(image),
        imaging_measurements=[group],
        title=codes.DCM.ImagingMeasurementReport,
        referenced_images=[image],
    )
    document: Dataset = hd.sr.Comprehensive3DSR(
        evidence=[image],
        content=report[0],
        manufacturer=author.equipment.manufacturer,
        institution_name=author.organisation,
        is_complete=True,
        is_final=False,
        **_identity(number),
    )
    refer_to_request(document, image)
    return document


def _procedure(image: Dataset) -> Any:
    """What was done, in general terms (CID 100), where the image does not say it itself."""
    return codes.LN.CTUnspecifiedBodyRegion if image.Modality == "CT" else codes.LN.MRIUnspecifiedBodyRegion


def _observer(author: Author) -> dict[str, Any]:
    """The observer (PS3.16 TID 1002): the person, or the workstation where nobody is known."""
    if author.name:
        person = hd.sr.PersonObserverIdentifyingAttributes(name=author.name, organization_name=author.organisation)
        context = hd.sr.ObserverContext(observer_type=codes.DCM.Person, observer_identifying_attributes=person)
        return {"observer_person_context": context}
    device = hd.sr.DeviceObserverIdentifyingAttributes(uid=author.equipment.uid, name=author.equipment.ae_title)
    context = hd.sr.ObserverContext(observer_type=codes.DCM.Device, observer_identifying_attributes=device)
    return {"observer_device_context": context}


def _identity(number: int) -> dict[str, Any]:
    return {
        "series_instance_uid": new_uid(),
        "series_number": number,
        "sop_instance_uid": new_uid(),
        "instance_number": 1,
    }


def _device(author: Author) -> dict[str, Any]:
    return {
        "manufacturer": author.equipment.manufacturer,
        "manufacturer_model_name": author.equipment.model,
        "software_versions": author.equipment.software,
        "device_serial_number": author.equipment.serial_number,
    }


def _srgb() -> bytes:
    """The ICC profile of sRGB, which the example images lack, as an input profile.

    A display profile of matrix and curves has the tags of an input profile too (ICC.1 8.3.3, 8.4.3); DICOM wants the
    latter (PS3.3 C.11.15), so the profile class in the header is changed.
    """
    profile = bytes(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    return profile[:12] + b"scnr" + profile[16:]


def _first(value: Any, otherwise: float) -> float:
    """The first of a multi-valued window."""
    if value is None or value == "":
        return otherwise
    return float(value[0] if isinstance(value, MultiValue) else value)

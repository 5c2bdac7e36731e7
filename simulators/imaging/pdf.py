"""PDF documents as Encapsulated PDF (PS3.3 A.45.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydicom.uid import EncapsulatedPDFStorage

from simulators.errors import ArgumentError
from simulators.imaging.context import code
from simulators.imaging.frame import Series, new_object, new_uid

if TYPE_CHECKING:
    from pydicom.dataset import FileDataset

    from simulators.imaging.context import StudyContext

MAXIMUM_BYTES = 64 * 1024 * 1024


def encapsulated_pdf(
    context: StudyContext, source: bytes, *, title: str = "Requisition", number: int = 1
) -> FileDataset:
    """Put a PDF file into a DICOM object, unchanged but for the padding to even length.

    Raises:
        ArgumentError: not a PDF file, or larger than 64 MiB.
    """
    if not source.startswith(b"%PDF-"):
        raise ArgumentError("The file is not a PDF document.", remedy="Give a .pdf file.")
    if len(source) > MAXIMUM_BYTES:
        raise ArgumentError("The PDF document is larger than 64 MiB.", remedy="Give a smaller scan.")
    series = Series("DOC", number, title.upper(), new_uid())
    dataset = new_object(context, series, EncapsulatedPDFStorage, 1)
    del dataset.Laterality  # Encapsulated Document Series (PS3.3 C.24.1) has none
    dataset.AcquisitionDateTime = ""
    dataset.ConversionType = "SD"  # scanned document
    dataset.BurnedInAnnotation = "YES"
    dataset.DocumentTitle = title
    dataset.ConceptNameCodeSequence = [code("57133-1", "LN", "Referral note")]
    dataset.MIMETypeOfEncapsulatedDocument = "application/pdf"
    dataset.EncapsulatedDocumentLength = len(source)
    dataset.EncapsulatedDocument = source + b"\0" * (len(source) % 2)
    return dataset

"""The order that a document about images answers, as the images name it: Referenced Request Sequence."""

from __future__ import annotations

from pydicom.dataset import Dataset


def refer_to_request(document: Dataset, image: Dataset) -> None:
    """Name the order of an image in a document (PS3.3 C.17.2, C.17.6.2): where there is one, the document has to."""
    if not image.get("AccessionNumber"):
        return
    asked = image.RequestAttributesSequence[0] if image.get("RequestAttributesSequence") else Dataset()
    request = Dataset()
    request.StudyInstanceUID = image.StudyInstanceUID
    request.ReferencedStudySequence = []
    request.AccessionNumber = image.AccessionNumber
    request.PlacerOrderNumberImagingServiceRequest = ""
    request.FillerOrderNumberImagingServiceRequest = ""
    request.RequestedProcedureID = asked.get("RequestedProcedureID") or ""
    request.RequestedProcedureDescription = asked.get("RequestedProcedureDescription") or ""
    request.RequestedProcedureCodeSequence = image.get("ProcedureCodeSequence") or []
    document.ReferencedRequestSequence = [request]

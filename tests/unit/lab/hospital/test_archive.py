"""What an archive says of a study, a series or an instance is read by keyword."""

from __future__ import annotations

from lab.hospital.answers import read
from lab.hospital.archive import Resource

SERIES = """{"ID": "a", "MainDicomTags": {"Modality": "CT", "RequestAttributesSequence": [{"0040,0009": "S1"}]},
 "PatientMainDicomTags": {"PatientID": "P1"}}"""
"""Orthanc keeps RequestAttributesSequence (0040,0275) in its index of a series, as a list of items."""


def test_a_sequence_among_the_tags_is_read_and_is_no_value() -> None:
    series = read(Resource, SERIES, "the archive")
    assert series.tag("Modality") == "CT"
    assert series.tag("PatientID") == "P1"
    assert series.tag("RequestAttributesSequence") == ""
    assert series.tag("StudyID") == ""

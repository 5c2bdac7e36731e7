"""The codes are those of PS3.16, as pydicom has them."""

from __future__ import annotations

import pytest
from pydicom.sr._cid_dict import cid_concepts
from pydicom.sr._concepts_dict import concepts

from simulators.audit import codes


@pytest.mark.parametrize(
    ("group", "ours"),
    [
        (400, codes.EVENTS),
        (401, codes.TYPES),
        (402, codes.ROLES),
        (403, codes.TYPES),
        (404, {code.value: code for code in codes.OBJECTS.values() if code.system == codes.DCM}),
    ],
)
def test_each_context_group_is_the_standards(group: int, ours: dict[str, codes.Code]) -> None:
    names = cid_concepts[group]["DCM"]
    theirs = {value: meaning for name in names for value, (meaning, _) in concepts["DCM"][name].items()}
    assert {value: code.meaning for value, code in ours.items()} == theirs

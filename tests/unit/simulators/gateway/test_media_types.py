"""Bulk data is asked of an archive in the one form that it has, where the browser accepts that."""

from __future__ import annotations

import pytest

from simulators.errors import RefusedError
from simulators.gateway.media_types import BULK, accept_for

PART = "/studies/1.1/series/1.1.1/instances/1.1.1.1"
DOCUMENT = f"{PART}/bulk/00420011"
OF_THE_VIEWER = 'multipart/related; type="application/pdf", multipart/related; type="application/octet-stream"'


@pytest.mark.parametrize(
    "accepted",
    ["*/*", "text/html, */*;q=0.1", OF_THE_VIEWER, "multipart/related", "Multipart/Related; type=Application/*;q=0.5"],
)
def test_bulk_data_is_asked_for_as_octets_where_those_are_accepted(accepted: str) -> None:
    assert accept_for(DOCUMENT, accepted) == BULK


@pytest.mark.parametrize(
    "accepted",
    ["", "application/pdf", 'multipart/related; type="application/pdf"', "multipart/related; q=0", "*/*; q=many",
     'text/plain; a=", */*"'],
)  # fmt: skip
def test_what_excludes_octets_is_refused(accepted: str) -> None:
    with pytest.raises(RefusedError):
        accept_for(DOCUMENT, accepted)


def test_of_other_parts_the_browser_says_what_it_accepts() -> None:
    wanted = "multipart/related; type=application/octet-stream; transfer-syntax=*"
    assert accept_for(f"{PART}/frames/1", wanted) == wanted

"""Keeps pynetdicom's own loop from taking the response that a ``send_*()`` waits for.

pynetdicom 3.0.4 pauses its loop for a request, but the loop may be just past the pause: on a busy machine it then takes
the response off the queue, and the request ends without one after the DIMSE timeout. The loop is for the peer's
requests. ``PACSLAB_WITHOUT_RESPONSE_GUARD`` in the environment leaves this out: `pacslab bench dicom --without
response-guard` says what it costs, and a unit test that loses a response without it fails once it can be dropped.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pynetdicom.association import Association

SWITCH = "PACSLAB_WITHOUT_RESPONSE_GUARD"


def guard_responses(association: Association) -> None:
    """Let only those who wait for a response take it off the association's queue."""
    if SWITCH in os.environ:
        return
    take = association.dimse.get_msg

    def get_msg(block: bool = False) -> Any:  # noqa: FBT001, FBT002 # pynetdicom's signature
        if not block:
            _, message = association.dimse.peek_msg()
            if getattr(message, "MessageIDBeingRespondedTo", None) is not None:
                return None, None
        return take(block)

    association.dimse.get_msg = get_msg  # type: ignore[method-assign]

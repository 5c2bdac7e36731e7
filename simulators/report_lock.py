"""Keeps an association open until an event report of the peer is answered.

pynetdicom 3.0.4 answers event reports in threads of their own and does not wait for them: an answer after A-RELEASE-RQ
breaks its state machine (PS3.8 9.2, Evt9 in Sta7), and a report that it takes up after the release is dropped.
``PACSLAB_WITHOUT_REPORT_LOCK`` in the environment leaves this out: `pacslab bench dicom --without report-lock` says
what it costs, and a unit test that loses an answer without it fails once it can be dropped.
"""

from __future__ import annotations

import os
import threading
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from pynetdicom.dimse_primitives import N_EVENT_REPORT

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from pynetdicom.association import Association

SWITCH = "PACSLAB_WITHOUT_REPORT_LOCK"


def report_lock(association: Association) -> AbstractContextManager[Any]:
    """Return a lock that is held while an event report of the peer is answered; release the association under it."""
    if SWITCH in os.environ:
        return nullcontext()
    answering = threading.Lock()
    serve = association._serve_request  # noqa: SLF001 # pynetdicom has no public place for it

    def serve_request(msg: Any, context_id: int) -> None:
        with answering if isinstance(msg, N_EVENT_REPORT) else nullcontext():
            serve(msg, context_id)

    association._serve_request = serve_request  # type: ignore[method-assign] # noqa: SLF001
    return answering

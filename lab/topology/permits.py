"""What a flow may permit inside a connection, by service: the words of ``permits``."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Vocabulary:
    """The words that a service's ``permits`` may hold."""

    words: tuple[str, ...]
    pattern: str | None = None
    source: str = ""

    def advice(self) -> str:
        """Say what may be written."""
        return f"Known here: {', '.join(self.words)}." if self.words else f"Write {self.source}."

    def knows(self, word: str) -> bool:
        """Tell whether a word may stand in ``permits``."""
        return word in self.words or (self.pattern is not None and re.fullmatch(self.pattern, word) is not None)


VOCABULARIES = {
    "dicom-tls": Vocabulary(
        (
            "C-ECHO",  # PS3.7 9.1.5
            "C-STORE",  # PS3.7 9.1.1
            "C-FIND",  # PS3.7 9.1.2, Query/Retrieve
            "C-GET",  # PS3.7 9.1.3
            "C-MOVE",  # PS3.7 9.1.4
            "MWL",  # PS3.4 K, Modality Worklist C-FIND
            "MPPS",  # PS3.4 F, N-CREATE and N-SET
            "N-ACTION",  # PS3.4 J, Storage Commitment request
            "N-EVENT-REPORT",  # PS3.4 J, Storage Commitment result
        ),
        source="PS3.4, PS3.7",
    ),
    "hl7-tls": Vocabulary(
        (),
        pattern=r"[A-Z]{3}\^[A-Z][0-9]{2}",
        source="message code and trigger event (HL7 v2.5.1 MSH-9), such as ADT^A04",
    ),
    "dicomweb-tls": Vocabulary(("QIDO-RS", "WADO-RS", "STOW-RS"), source="PS3.18"),
}
"""A service that is not here is allowed as a whole or not at all: its flows have no ``permits``."""

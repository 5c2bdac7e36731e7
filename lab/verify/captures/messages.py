"""Messages of DICOM and HL7 in clear, as captures hold them."""

from __future__ import annotations

import struct

APPLICATION_CONTEXT = b"1.2.840.10008.3.1.1.1"
"""DICOM's own (PS3.7 A.2.1)."""
ASSOCIATE_RQ, ASSOCIATE_AC, ASSOCIATE_RJ = 1, 2, 3
CALLING_UNKNOWN = 3
"""Why an association is refused: the calling AE title is not recognised (PS3.8 9.3.4)."""


def pdu(kind: int, body: bytes) -> bytes:
    """A protocol data unit (PS3.8 9.3.1)."""
    return struct.pack("!BBI", kind, 0, len(body)) + body


def associate(kind: int, called: str, calling: str) -> bytes:
    """A request to associate, or its acceptance (PS3.8 9.3.2, 9.3.3)."""
    titles = called.ljust(16).encode() + calling.ljust(16).encode()
    context = struct.pack("!BBH", 0x10, 0, len(APPLICATION_CONTEXT)) + APPLICATION_CONTEXT
    return pdu(kind, struct.pack("!HH", 1, 0) + titles + bytes(32) + context)


def rejected(reason: int = CALLING_UNKNOWN) -> bytes:
    """An association is refused for good (PS3.8 9.3.4)."""
    return pdu(ASSOCIATE_RJ, bytes([0, 1, 1, reason]))


def image_file(preamble: bytes) -> bytes:
    """The beginning of a DICOM file (PS3.10 7.1)."""
    return preamble.ljust(128, b"\0") + b"DICM" + bytes.fromhex("02000000554c0400") + bytes(64)


def hl7() -> bytes:
    """A message in the framing of MLLP, about nobody."""
    return b"\x0bMSH|^~\\&|A|B|C|D|20260101000000||ADT^A04|1|P|2.5.1\rPID|1||1\r\x1c\r"

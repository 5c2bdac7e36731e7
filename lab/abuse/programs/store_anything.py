"""Runs on an archive's host in the archive's place: takes whatever is stored, and looks at none of it.

Arguments: AE title, loopback port, folder. Each object becomes a file of the folder, named by its SOPInstanceUID.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

from pynetdicom import AE, evt

SOP_CLASSES = ("1.2.840.10008.1.1", "1.2.840.10008.5.1.4.1.1.2")
"""Verification, CT Image Storage (PS3.6 annex A)."""
EXPLICIT_LITTLE_ENDIAN = "1.2.840.10008.1.2.1"


def main(title: str, port: str, folder: str) -> None:
    """Serve until killed."""
    into = Path(folder)
    into.mkdir(parents=True, exist_ok=True)

    def store(event: Any) -> int:
        name = re.sub(r"[^0-9.]", "", str(event.request.AffectedSOPInstanceUID))
        (into / name).write_bytes(event.request.DataSet.getvalue())
        return 0

    entity = AE(ae_title=title)
    for sop_class in SOP_CLASSES:
        entity.add_supported_context(sop_class, EXPLICIT_LITTLE_ENDIAN)
    entity.start_server(("127.0.0.1", int(port)), evt_handlers=[(evt.EVT_C_STORE, store)])


if __name__ == "__main__":
    main(*sys.argv[1:])

"""The schema of audit messages (PS3.15 A.5.1): ``audit.rnc`` is written by hand, trang makes the other two of it."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).parent
COMPACT, RELAX_NG, XML_SCHEMA = FOLDER / "audit.rnc", FOLDER / "audit.rng", FOLDER / "audit.xsd"

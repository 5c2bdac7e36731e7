"""The abuse cases: every module here has its cases as ``CASES``."""

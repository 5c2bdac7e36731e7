"""The cases of ``pacslab-misuse``: every module here has them as ``CASES``."""

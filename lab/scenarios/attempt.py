"""What came of an attempt that has to be refused, as ``pacslab-misuse`` tells it."""

from __future__ import annotations

from lab.hospital.answers import Answer


class Control(Answer):
    """What came of doing what is permitted, afterwards."""

    refused: bool
    detail: str


class Attempt(Answer):
    """What came of an attempt: whether it was refused, by which layer, and in which words."""

    refused: bool
    layer: str
    detail: str
    control: Control | None = None

"""JSON Schema's judge, imported when it is first asked: that takes longer than most tests."""

from __future__ import annotations

from importlib import import_module
from typing import Any


def misfits(data: Any, schema: dict[str, Any]) -> list[str]:
    """What of some data does not follow a schema (draft 2020-12), in the judge's words."""
    judge = import_module("jsonschema").Draft202012Validator(schema)
    return [error.message for error in judge.iter_errors(data)]

"""The fields of a stored record, read so that whatever its sender wrote can be shown."""

from __future__ import annotations

import json
from typing import Any


def fields_of(text: str) -> dict[str, Any]:
    """Return the fields of a record, none where it has none; half characters (surrogates) become escapes.

    The database does not read them: a record that it could not would hide all others of a page.
    """
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {"message": text.encode("utf-8", "backslashreplace").decode("utf-8")}
    return {_whole(name): _value(value) for name, value in found.items()} if isinstance(found, dict) else {}


def _value(value: Any) -> Any:
    if isinstance(value, str):
        return _whole(value)
    if isinstance(value, list):
        return [_value(part) for part in value]
    if isinstance(value, dict):
        return {_whole(name): _value(part) for name, part in value.items()}
    return value


def _whole(text: str) -> str:
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode("utf-8")

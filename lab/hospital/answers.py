"""Answers of the hospital's systems, read into types in one place; another form is an error of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from lab.hospital.errors import UnexpectedAnswerError

if TYPE_CHECKING:
    from typing import Any

T = TypeVar("T")
SHOWN = 300
"""How many characters of an unexpected answer are told."""


class Answer(BaseModel):
    """Base of every answer: what is not listed is not read, what is listed must be there in that type."""

    model_config = ConfigDict(frozen=True, extra="ignore")


def read(kind: type[T], text: str, source: str) -> T:
    """Read an answer in JSON.

    Args:
        kind: What it has to be: an :class:`Answer`, or a type made of them such as ``list[Answer]``.
        text: The answer.
        source: Who gave it, for the error.

    Raises:
        UnexpectedAnswerError: it is not JSON, or of another form.
    """
    adapter: TypeAdapter[Any] = TypeAdapter(kind)
    try:
        answer: T = adapter.validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the answer"
        raise UnexpectedAnswerError(
            f"{source} answered in another form: {where}: {first['msg']}; it said {text.strip()[:SHOWN]!r}",
            remedy="Ask it by hand; where its answer was changed, lab/hospital/ has to follow.",
        ) from error
    return answer

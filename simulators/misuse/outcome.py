"""What came of an attempt, and the one way in which every case is judged."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from simulators.errors import RefusedError, TlsRefusedError, UnreachableError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


@dataclass(frozen=True)
class Outcome:
    """What came of an attempt.

    Attributes:
        case: name of the case.
        peer: the host that was asked.
        refused: whether it refused.
        layer: who refused: ``tls``, ``association``, ``dimse``, ``hl7``, ``connection`` (closed without an answer);
            ``none`` when it was let through.
        detail: the peer's own words.
        facts: what else the attempt tells, such as the UID of the image that it tried to store.
    """

    case: str
    peer: str
    refused: bool
    layer: str
    detail: str
    facts: Mapping[str, Any] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Return the outcome as ``--json`` prints it."""
        return asdict(self)


@dataclass(frozen=True)
class Answer:
    """An answer of the peer to a request: whether it means no, on which layer, in which words; and further facts."""

    refused: bool
    layer: str
    detail: str
    facts: Mapping[str, Any] = field(default_factory=dict)


def outcome(case: str, peer: str, attempt: Callable[[], Answer]) -> Outcome:
    """Make the attempt and say what came of it.

    Raises:
        UnreachableError: no connection at all, so that nothing was refused.
    """
    try:
        answer = attempt()
    except TlsRefusedError as error:
        return Outcome(case, peer, refused=True, layer="tls", detail=error.message)
    except RefusedError as error:
        return Outcome(case, peer, refused=True, layer="association", detail=error.message)
    except UnreachableError as error:
        if "closed the connection" not in error.message:
            raise
        return Outcome(case, peer, refused=True, layer="connection", detail=error.message)
    layer = answer.layer if answer.refused else "none"
    return Outcome(case, peer, refused=answer.refused, layer=layer, detail=answer.detail, facts=answer.facts)

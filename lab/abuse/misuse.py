"""Attempts with ``pacslab-misuse``, a command that is brought to the source: made there, with what it holds."""

from __future__ import annotations

import uuid
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from lab.abuse.attempt import Tried
from lab.abuse.credentials import placed
from lab.hospital.answers import Answer

if TYPE_CHECKING:
    from collections.abc import Callable

    from lab.abuse.scene import Scene
    from lab.trust.untrusted_certificates import Bundle

COMMAND = "pacslab-misuse"
TIMEOUT = 120.0
"""Seconds for an attempt, its answer and its positive control."""


class Control(Answer):
    """What came of doing what is permitted, afterwards."""

    refused: bool
    detail: str


class MisuseAnswer(Answer):
    """What the command says: whether the attempt was refused, by which layer, in which words; and further facts."""

    refused: bool
    layer: str
    detail: str
    facts: dict[str, Any]
    control: Control | None = None


@dataclass(frozen=True)
class Misuse:
    """An attempt that is a case of ``pacslab-misuse``.

    Attributes:
        case: The case's name.
        words: Its further arguments.
        credential: What to present instead of the source's own certificate; made once for both halves.
    """

    case: str
    words: Callable[[Scene], list[str]] = field(default=lambda _: [], repr=False)
    credential: Callable[[Scene], Bundle] | None = field(default=None, repr=False)

    def __call__(self, scene: Scene) -> Tried:
        """Make the attempt, and ask afterwards for what is permitted where the case can.

        Raises:
            HospitalError: it could not be made.
        """
        source, credential = scene.parties.source, self.credential
        with ExitStack() as stack:
            presenting: list[str] = []
            if credential is not None:
                bundle = scene.once("credential", lambda: credential(scene))
                presenting = stack.enter_context(placed(scene, source, bundle))
            words = [*presenting, *self.words(scene)]
            answer = misuse(scene, source, self.case, *words, "--control")
        facts = {**_named(words), **answer.facts, "control": answer.control}
        return Tried(answer.refused, f"at {answer.layer}: {answer.detail}", facts)


def misuse(scene: Scene, source: str, case: str, *words: str) -> MisuseAnswer:
    """Run a case of the command on a host, at the scene's target.

    Raises:
        HospitalError: the attempt could not be made, or the command's answer has another form.
    """
    argv = [COMMAND, case, "--peer", scene.parties.target, *words, "--json"]
    return scene.hospital.ask(source, argv, MisuseAnswer, timeout=TIMEOUT)


def _named(words: list[str]) -> dict[str, str]:
    """What the arguments say of the image, the patient or the line that the attempt makes."""
    pairs = dict(pairwise(words))
    return {name: pairs[f"--{name}"] for name in ("instance", "patient", "text") if f"--{name}" in pairs}


def fresh_instance(_: Scene) -> list[str]:
    """Arguments with a SOPInstanceUID that is used once (PS3.5 B.2)."""
    return ["--instance", f"2.25.{uuid.uuid4().int}"]


def fresh_patient(_: Scene) -> list[str]:
    """Arguments with a patient identifier that is used once."""
    return ["--patient", f"X{uuid.uuid4().hex[:10].upper()}"]

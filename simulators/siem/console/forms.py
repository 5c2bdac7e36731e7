"""Shows that a form was filled in on a page of the console, by the person in whose session it comes (CSRF, CWE-352)."""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from simulators.access.denied import DeniedError
from simulators.events import reasons

if TYPE_CHECKING:
    from simulators.access.subject import Subject

FIELD = "token"


@dataclass(frozen=True)
class Forms:
    """Tokens of forms; those of a console that has started again count no more.

    Attributes:
        origin: of the console's own pages.
        key: makes tokens.
    """

    origin: str
    key: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)

    def token(self, subject: Subject) -> str:
        """Return what a form in this session has."""
        told = f"{subject.person}\n{subject.session}".encode()
        return hmac.digest(self.key, told, "sha256").hex()

    def check(self, subject: Subject, origin: str, token: str) -> None:
        """Check where a form comes from.

        Raises:
            DeniedError: from a page of another site, or of another session.
        """
        if origin != self.origin or not hmac.compare_digest(self.token(subject).encode(), token.encode()):
            raise DeniedError(
                "This form is not of your session.",
                remedy="Open the page again, and send it from there.",
                reason=reasons.OTHER_SITE,
            )

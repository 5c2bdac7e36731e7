"""What a verification found, as ``--json`` prints it."""

from __future__ import annotations

from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Failure:
    """One thing that is not as the description says."""

    source: str
    target: str
    address: str
    protocol: str
    port: int
    zones: str
    """Zone of the source, ``>``, zone of the target."""
    expected: str
    observed: str
    remedy: str

    def __str__(self) -> str:
        """One line for people."""
        where = f"{self.source} -> {self.target} ({self.address}) {self.protocol}/{self.port} [{self.zones}]"
        return f"{where}: expected {self.expected}; observed {self.observed}. {self.remedy}"


@dataclass(frozen=True)
class Report:
    """The outcome of a verification."""

    checked: int
    failed: tuple[Failure, ...]
    seconds: float

    def as_dict(self) -> dict[str, object]:
        """Return the report as ``--json`` prints it: ``passed`` counts what was as expected."""
        return {
            "checked": self.checked,
            "passed": self.checked - len(self.failed),
            "failed": [{**asdict(failure), "message": str(failure)} for failure in self.failed],
            "seconds": round(self.seconds, 2),
        }

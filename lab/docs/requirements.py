"""The generated table of ``docs/troubleshooting.md``: what ``pacslab check`` asks of a machine, and its remedies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from lab.engine.memory import Asked
from lab.engine.requirements import examine

if TYPE_CHECKING:
    from lab.engine.client import Docker


class _AnyEngine:
    """Stands in for Docker: what is asked and what the remedy is depends on no machine, and only that is printed."""

    def info(self) -> dict[str, Any]:
        return {"CgroupVersion": "2", "DockerRootDir": "/"}

    def call(self, method: str, path: str) -> dict[str, Any]:
        del method, path
        return {"Version": "20.10", "ApiVersion": "1.41"}


def requirements_table() -> str:
    """Return the table of requirements, in the order in which ``pacslab check`` prints them."""
    rows = [
        f"| `{finding.name}` | {finding.remedy} |"
        for finding in examine(cast("Docker", _AnyEngine()), memory=Asked(0, 0))
    ]
    return "\n".join(["| requirement | what to do where it is not met |", "| --- | --- |", *rows, ""])

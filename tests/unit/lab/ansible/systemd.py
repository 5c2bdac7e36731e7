"""A systemd that takes orders of the collection's modules, and notes them."""

from __future__ import annotations

RUNNING = {
    "LoadState": "loaded",
    "ActiveState": "active",
    "UnitFileState": "enabled",
    "Type": "simple",
    "NeedDaemonReload": "no",
}
STOPPED = {**RUNNING, "ActiveState": "inactive"}


class Systemd:
    """A systemctl that answers ``show`` and notes everything else."""

    def __init__(self, states: dict[str, dict[str, str]]) -> None:
        """Hold the units' states; all are enabled."""
        self.states = states
        self.enablement: dict[str, str] = {}
        self.asked: list[str] = []

    def __call__(self, argv: list[str]) -> str:
        """Stand in for ``command.run``."""
        if argv[1] != "show":
            self.asked.append(" ".join(argv))
            return "Created symlink" if "enable" in argv else ""
        self.asked.append("systemctl show")
        names = argv[argv.index("--") + 1 :]
        return "\n\n".join("\n".join(f"{key}={value}" for key, value in self.states[name].items()) for name in names)

    def enabled(self, names: list[str]) -> dict[str, str]:
        """Stand in for ``units.enablement``."""
        return {name: self.enablement.get(name, "enabled") for name in names}

"""Read a YAML file and remember on which line each part of it stands."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import yaml

from lab.topology.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml's loader where PyYAML was built with it: ten times as fast."""

Key = tuple[str | int, ...]
"""Where a value stands: keys and list positions from the top, such as ``("hosts", "ct1", "roles", 2)``."""


@dataclass
class Source:
    """A file's data, the lines of its parts, and the mistakes that reading alone finds."""

    path: Path
    data: Any = None
    problems: list[Problem] = field(default_factory=list)
    lines: dict[Key, int] = field(default_factory=dict)

    def line(self, where: Iterable[str | int]) -> int:
        """Return the line of a part, or of the nearest part around it that is written in the file."""
        key = tuple(where)
        while key and key not in self.lines:
            key = key[:-1]
        return self.lines.get(key, 1)

    def problem(self, where: Iterable[str | int], message: str, remedy: str) -> Problem:
        """Phrase a mistake at a part of this file."""
        return Problem(self.path, self.line(where), message, remedy)


def read_source(path: Path) -> Source:
    """Read a YAML file; what is wrong with it as YAML is in ``problems``, and ``data`` is then None."""
    source = Source(path)
    try:
        loader = Loader(path.read_text("utf-8"))
    except UnicodeDecodeError as error:
        source.problems.append(Problem(path, 0, f"Not UTF-8 text: {error.reason}.", "Save the file as UTF-8."))
        return source
    except yaml.reader.ReaderError as error:
        source.problems.append(Problem(path, 0, f"Not YAML: {error.reason}.", "Save the file as plain UTF-8 text."))
        return source
    try:
        node = loader.get_single_node()
        if node is not None:
            _walk(source, node, (), set())
            source.data = loader.construct_document(node)
    except yaml.MarkedYAMLError as error:
        source.problems.append(_syntax_problem(path, error))
    except yaml.YAMLError as error:
        source.problems.append(Problem(path, 0, f"Not YAML: {error}.", "Write the file as YAML."))
    except RecursionError:
        source.problems.append(Problem(path, 0, "Nested too deeply.", "Write the file as docs/topology.md shows."))
    except ValueError as error:  # a scalar that looks like a date or number and is none, such as 2024-13-01
        source.problems.append(Problem(path, 0, f"A value cannot be read: {error}.", "Put quotation marks around it."))
    finally:
        loader.dispose()
    return source


def _walk(source: Source, node: yaml.Node, where: Key, seen: set[int]) -> None:
    """Note the line of every part below a node; an alias is followed once, at its anchor."""
    source.lines.setdefault(where, node.start_mark.line + 1)
    if id(node) in seen:
        return
    seen.add(id(node))
    if isinstance(node, yaml.SequenceNode):
        for position, item in enumerate(node.value):
            _walk(source, item, (*where, position), seen)
    elif isinstance(node, yaml.MappingNode):
        first: dict[str, int] = {}
        for key_node, value_node in node.value:
            key = str(key_node.value)
            line = key_node.start_mark.line + 1
            if key in first and key != "<<":
                source.problems.append(
                    Problem(
                        source.path,
                        line,
                        f"{key} stands here a second time; the first is on line {first[key]}.",
                        "Rename or remove one of the two.",
                    )
                )
                continue
            first[key] = line
            source.lines[(*where, key)] = line
            _walk(source, value_node, (*where, key), seen)


def _syntax_problem(path: Path, error: yaml.MarkedYAMLError) -> Problem:
    mark = error.problem_mark or error.context_mark
    line = mark.line + 1 if mark else 0
    context = f" ({error.context})" if error.context else ""
    return Problem(
        path,
        line,
        f"Not YAML: {error.problem or error.context}{context}.",
        "Look at the line and the one before: brackets, colons, quotation marks and indentation (no tabs) must match.",
    )

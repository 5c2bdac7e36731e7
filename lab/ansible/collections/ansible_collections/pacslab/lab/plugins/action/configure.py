"""Render and read a task's files on the controller, then have them put in place on the host in one call."""

from __future__ import annotations

import base64
import json
import zlib
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleActionFail, AnsibleError
from ansible.plugins.action import ActionBase
from ansible.template import trust_as_template

CONTENTS = ("template", "content", "source")


class ActionModule(ActionBase):
    """Controller side of ``pacslab.lab.configure``; see the module for what its options mean."""

    TRANSFERS_FILES = False
    _supports_async = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Collect the contents and call the module once."""
        super().run(tmp, task_vars)
        variables = task_vars or {}
        arguments = dict(self._task.args)
        entries = arguments.get("files") or []
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            raise AnsibleActionFail("'files' must be a list of mappings")
        self._templates = None
        arguments["trees"] = [entry["dest"] for entry in entries if "tree" in entry]
        entries = [expanded for entry in entries for expanded in self._expand(entry)]
        contents = [self._content(entry, variables) for entry in entries]
        packed = json.dumps([base64.b64encode(content).decode("ascii") for content in contents]).encode("ascii")
        arguments["files"] = [{key: value for key, value in entry.items() if key not in CONTENTS} for entry in entries]
        arguments["payload"] = base64.b64encode(zlib.compress(packed)).decode("ascii")
        return self._execute_module(module_name="pacslab.lab.configure", module_args=arguments, task_vars=variables)

    def _expand(self, entry: dict[str, Any]) -> list[dict[str, Any]]:
        """An entry for each file of a tree; any other entry as it is."""
        if "tree" not in entry:
            return [entry]
        try:
            top = Path(self._find_needle("files", str(entry["tree"])))
        except AnsibleError as error:
            raise AnsibleActionFail(f"{entry['dest']}: {error}") from error
        left_out = [top / name for name in entry.get("without", [])]
        paths = [
            path
            for path in sorted(top.rglob("*"))
            if path.is_file() and path.suffix != ".pyc" and not any(path.is_relative_to(folder) for folder in left_out)
        ]
        rest = {key: value for key, value in entry.items() if key not in {"tree", "without"}}
        return [{**rest, "source": str(path), "dest": f"{rest['dest']}/{path.relative_to(top)}"} for path in paths]

    def _content(self, entry: dict[str, Any], variables: dict[str, Any]) -> bytes:
        """What one file must contain."""
        given = [key for key in CONTENTS if key in entry]
        where = entry.get("dest", "a file")
        if len(given) != 1:
            raise AnsibleActionFail(f"{where}: exactly one of template, content, source and tree says what is in it")
        try:
            if given == ["template"]:
                return _as_bytes(self._render(str(entry["template"]), variables))
            if given == ["source"]:
                path = self._find_needle("files", str(entry["source"]))
                return Path(self._loader.get_real_file(path)).read_bytes()
        except (AnsibleError, OSError) as error:
            raise AnsibleActionFail(f"{where}: {error}") from error
        return _as_bytes(entry["content"])

    def _render(self, name: str, variables: dict[str, Any]) -> Any:
        """Render a template as ansible.builtin.template does: blocks take their line's end with them.

        It may import another role's: ``{% import 'haproxy/templates/edge.j2' as edge with context %}``.
        """
        path = self._find_needle("templates", name)
        if self._templates is None:
            folders = [*variables.get("ansible_search_path", []), self._loader.get_basedir()]
            search = [str(Path(path).parent), *(f"{folder}/templates" for folder in folders), *folders]
            if "role_path" in variables:
                search.append(str(Path(variables["role_path"]).parent))  # where the roles are
            self._templates = self._templar.copy_with_new_env(searchpath=search, available_variables=variables)
        text = trust_as_template(self._loader.get_text_file_contents(path))
        return self._templates.template(text, overrides={"trim_blocks": True})


def _as_bytes(value: Any) -> bytes:
    """Text as it is; a mapping or a list, which a lone expression gives, as JSON."""
    if isinstance(value, (dict, list)):
        return (json.dumps(value, indent=2, default=str) + "\n").encode("utf-8")
    return str(value).encode("utf-8")

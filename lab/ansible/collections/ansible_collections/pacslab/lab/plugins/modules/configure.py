"""Put a role's files in place on one host in one call, together with the units that depend on them.

The action plugin of the same name renders the templates and ships every content; this half compares, writes, validates
and deals with systemd. It needs nothing but Python's standard library on the host.
"""

from __future__ import annotations

import base64
import hashlib
import json
import zlib
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.pacslab.lab.plugins.module_utils import command, files, units

DOCUMENTATION = r"""
module: configure
short_description: Write a role's files in one round trip and restart what depends on them
description:
  - Renders templates on the controller, ships all files of the task at once, and writes atomically what differs.
  - Runs O(validate) with the new files in place; when one fails, the former files return and the task fails.
  - Units are handled without waiting for them; health probes decide whether a host works.
  - A run that is interrupted between writing and restarting is finished by the next one.
author: The pacslab authors
options:
  files:
    description: Files to bring about.
    type: list
    elements: dict
    default: []
    suboptions:
      dest: {description: Absolute path on the host., type: path, required: true}
      template: {description: A template of the role or an absolute path., type: str}
      content: {description: The text itself; mappings and lists are written as JSON., type: raw}
      source: {description: A file of the role or an absolute path on the controller., type: str}
      tree:
        description:
          - A folder of the role or an absolute path on the controller. All files below it go below O(files[].dest),
            and what else is there is removed, compiled Python aside.
        type: str
      without: {description: "Folders of O(files[].tree) that are left out.", type: list, elements: str, default: []}
      mode: {description: Permissions as an octal string., type: str, default: "0644"}
      owner: {description: User who owns the file., type: str, default: root}
      group: {description: Group of the file., type: str, default: root}
      secret: {description: Never show the content or its differences., type: bool, default: false}
  remove:
    description: Files that must not exist.
    type: list
    elements: path
    default: []
  validate:
    description: Commands that must end with 0 with the new files in place, run only when a file changed.
    type: list
    elements: list
    default: []
  commands:
    description: Commands to run when a file of this task changed, before the units are dealt with.
    type: list
    elements: list
    default: []
  enable:
    description: Units to enable, and to start where they do not run.
    type: list
    elements: str
    default: []
  early:
    description:
      - Units of O(enable) that start at once also on a host that waits for its configuration, because their work takes
        long and needs nothing that other tasks bring. See M(pacslab.lab.start_host).
    type: list
    elements: str
    default: []
  restart:
    description: Units to restart when a file of this task changed.
    type: list
    elements: str
    default: []
  reload:
    description: Units to reload when a file of this task changed; restarted where they cannot reload.
    type: list
    elements: str
    default: []
  payload:
    description: Contents of the files, in order; filled in by the action plugin.
    type: str
  trees:
    description: Folders that hold nothing but files of this task; filled in by the action plugin.
    type: list
    elements: path
    default: []
"""

EXAMPLES = r"""
- name: Configure the web server
  pacslab.lab.configure:
    files:
      - {template: site.conf.j2, dest: /etc/nginx/conf.d/site.conf}
    validate: [[nginx, -t]]
    enable: [nginx.service]
    reload: [nginx.service]
"""

RETURN = r"""
files: {description: Files that were written or removed., returned: always, type: list, elements: str}
commands: {description: Commands that were run because a file changed., returned: always, type: list, elements: list}
units: {description: What was asked of systemd., returned: always, type: list, elements: list}
unchecked: {description: In check mode, what it could not find out., returned: always, type: list, elements: str}
"""

PENDING_DIR = Path("/var/lib/pacslab/configure")
ARGUMENTS = {
    "files": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "dest": {"type": "path", "required": True},
            "template": {"type": "str"},
            "content": {"type": "raw"},
            "source": {"type": "str"},
            "tree": {"type": "str"},
            "without": {"type": "list", "elements": "str", "default": []},
            "mode": {"type": "str", "default": "0644"},
            "owner": {"type": "str", "default": "root"},
            "group": {"type": "str", "default": "root"},
            "secret": {"type": "bool", "default": False},
        },
    },
    "remove": {"type": "list", "elements": "path", "default": []},
    "validate": {"type": "list", "elements": "list", "default": []},
    "commands": {"type": "list", "elements": "list", "default": []},
    "enable": {"type": "list", "elements": "str", "default": []},
    "early": {"type": "list", "elements": "str", "default": []},
    "restart": {"type": "list", "elements": "str", "default": []},
    "reload": {"type": "list", "elements": "str", "default": []},
    "payload": {"type": "str", "no_log": True},
    "trees": {"type": "list", "elements": "path", "default": []},
}


def unpack(payload: str | None) -> list[bytes]:
    """Contents of the files, as the action plugin packed them."""
    if payload is None:
        return []
    return [base64.b64decode(content) for content in json.loads(zlib.decompress(base64.b64decode(payload)))]


def pending_mark(paths: list[str]) -> Path:
    """Where it is noted that this task wrote files and has not finished; it survives an interrupted run."""
    return PENDING_DIR / hashlib.sha256("\n".join(sorted(paths)).encode()).hexdigest()[:16]


def configure(asked: dict[str, Any], *, check: bool, diff: bool) -> dict[str, Any]:
    """Bring the host to what is asked and say what was done.

    Raises:
        ConfigureError: something asked cannot be done; files are as before when validation failed.
    """
    contents = unpack(asked["payload"])
    if len(contents) != len(asked["files"]):
        raise command.ConfigureError("contents are missing: this module is called through its action plugin")
    wanted = [
        files.wanted_file(entry, content, check=check) for entry, content in zip(asked["files"], contents, strict=True)
    ]
    remove = [*asked["remove"], *files.strays(asked["trees"], {file.dest for file in wanted})]
    plan = files.plan(wanted, remove)
    mark = pending_mark([file.dest for file in wanted] + asked["remove"])
    unfinished = mark.exists()
    touched = bool(plan) or unfinished
    if touched and not check:
        write(asked, plan, mark)
    coming = {units.unit_of(change.path) or "": change.after.content or b"" for change in plan} if check else {}
    asks = units.ask_systemd(
        enable=asked["enable"],
        early=asked["early"],
        restart=asked["restart"] if touched else [],
        reload=asked["reload"] if touched else [],
        fresh=any(units.is_unit_file(change.path) for change in plan) or unfinished,
        coming=coming,
        check=check,
    )
    if not check:
        mark.unlink(missing_ok=True)
    result: dict[str, Any] = {
        "changed": touched or bool(asks),
        "files": [change.path for change in plan],
        "commands": asked["commands"] if touched else [],
        "units": asks,
        "unchecked": unchecked(asked, wanted, coming, touched=touched) if check else [],
    }
    if diff:
        result["diff"] = [change.shown() for change in plan]
    return result


def write(asked: dict[str, Any], plan: list[files.Change], mark: Path) -> None:
    """Make the changes, or without any finish what an interrupted run began, and run the task's commands.

    Raises:
        ConfigureError: the new files are not valid (the former ones are back), or a command failed.
    """
    if plan:
        mark.parent.mkdir(parents=True, exist_ok=True)
        mark.touch()
        files.announce(plan)
        try:
            files.apply(plan, asked["validate"])
        except files.RestoredError as error:
            mark.unlink()
            raise command.ConfigureError(str(error)) from error
    else:
        files.validate(asked["validate"])
    for argv in asked["commands"]:
        command.run(argv)


def unchecked(asked: dict[str, Any], wanted: list[files.File], coming: dict[str, bytes], *, touched: bool) -> list[str]:
    """What check mode cannot know: it neither writes nor runs anything."""
    told = [f"{file.dest}: its owner or group does not exist yet" for file in wanted if files.NOBODY_YET in file.entry]
    if touched:
        told += [f"not validated, since the new files are not in place: {' '.join(argv)}" for argv in asked["validate"]]
        told += [f"not run, so what it changes is not known: {' '.join(argv)}" for argv in asked["commands"]]
    missing = units.absent(list(dict.fromkeys([*asked["enable"], *asked["restart"]])), coming)
    return told + [f"unit {name} does not exist yet" for name in missing]


def main() -> None:
    """Module entry."""
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    try:
        result = configure(module.params, check=module.check_mode, diff=module._diff)  # noqa: SLF001 - AnsibleModule has no public name for it
    except (command.ConfigureError, OSError) as error:
        module.fail_json(msg=str(error))
    module.exit_json(**result)


if __name__ == "__main__":
    main()

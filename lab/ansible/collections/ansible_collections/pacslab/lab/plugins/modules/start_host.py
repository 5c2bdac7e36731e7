"""Start a host that has waited for its configuration since it was made."""

from __future__ import annotations

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.pacslab.lab.plugins.module_utils import command, units

DOCUMENTATION = r"""
module: start_host
short_description: Start the services of a host that has waited for its configuration
description:
  - A host that is made from an image starts no service before it has been configured, so each starts once, with all of
    its files in place. M(pacslab.lab.configure) notes what is to be started; this module has systemd start it.
  - Nothing is waited for; health probes decide whether a host works.
  - Any other host is left alone.
author: The pacslab authors
options: {}
"""

EXAMPLES = r"""
- name: Start
  pacslab.lab.start_host:
"""

RETURN = r"""
units: {description: What was asked of systemd., returned: always, type: list, elements: list}
"""


def main() -> None:
    """Module entry."""
    module = AnsibleModule(argument_spec={}, supports_check_mode=True)
    try:
        asks = units.start_noted(check=module.check_mode)
    except (command.ConfigureError, OSError) as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=bool(asks), units=asks)


if __name__ == "__main__":
    main()

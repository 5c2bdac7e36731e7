"""Becoming the service's own user, so that a command started by root touches files as the service does."""

from __future__ import annotations

import os
import pwd

from simulators.errors import NotReadyError, RefusedError
from simulators.events import reasons


def become_service_user(name: str) -> None:
    """Give up root for the system user `name`; anybody else stays who they are.

    File permissions then judge another user: the keys are readable to the service's user only.

    Raises:
        NotReadyError: root started the command and the user does not exist.
    """
    if os.geteuid() != 0:
        return
    try:
        user = pwd.getpwnam(name)
    except KeyError as error:
        raise NotReadyError(
            f"this host has no user {name}", remedy=f"The role of that name makes it; run `pacslab-{name}` on its host."
        ) from error
    os.initgroups(name, user.pw_gid)
    os.setresgid(user.pw_gid, user.pw_gid, user.pw_gid)
    os.setresuid(user.pw_uid, user.pw_uid, user.pw_uid)
    os.environ.update(HOME=user.pw_dir, USER=name, LOGNAME=name)
    os.chdir("/")
    os.umask(0o027)


class OtherUserError(RefusedError):
    """Somebody else than the service's user, or root, asks for what is the service's to decide."""

    reason = reasons.OTHER_USER


def require_service_user(name: str) -> None:
    """Make sure that this process is of the system user `name`, which root has become.

    Raises:
        OtherUserError: it is another's; the event of the command says whose.
    """
    own = pwd.getpwuid(os.geteuid()).pw_name
    if own != name:
        raise OtherUserError(f"{own} may not ask for this on this host", remedy=f"Run it as root, or as {name}.")

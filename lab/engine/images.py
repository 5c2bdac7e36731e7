"""Images, and the volumes that builds share, through the Docker SDK.

Containers and commands in them go over :mod:`lab.engine.client`, which starts faster than the SDK is imported. What is
done with images takes seconds, so the SDK's time does not matter there; it is imported when it is first needed.
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any

from lab.engine.client import DOCKER_REMEDY, ConflictError, NotFoundError, how_to_reach, socket_path
from lab.errors import EngineError, MachineNotReadyError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import docker

SECONDS = 900
"""For each answer: keeping a container as an image on a busy disk takes minutes."""


class Images:
    """The images of a Docker Engine; threads may share one object."""

    def __init__(self, path: str | None = None) -> None:
        """Speak to the engine at this socket; the first call connects."""
        self.path = path or socket_path()

    @cached_property
    def _client(self) -> docker.APIClient:
        import docker  # noqa: PLC0415 # costs up to 0.4 s, which verbs that touch no image do without

        return docker.APIClient(base_url=f"unix://{self.path}", timeout=SECONDS)

    def listed(self, *labels: str) -> list[dict[str, Any]]:
        """Images that carry every label (``name`` or ``name=value``)."""
        with _refusals("the list of images", self.path):
            found: list[dict[str, Any]] = self._client.images(filters={"label": list(labels)})
        return found

    def commit(self, container: str, repository: str, tag: str, changes: dict[str, Any]) -> str:
        """Keep a container's files as an image, without pausing it; the result is its id.

        Raises:
            EngineError: the engine refuses.
        """
        with _refusals(f"to keep {container}", self.path):
            made: dict[str, str] = self._client.commit(container, repository, tag, pause=False, conf=changes)
        return made["Id"]

    def import_files(self, tar: Path, repository: str, tag: str, changes: Sequence[str]) -> str:
        """Make an image of a tar of its files; ``changes`` are Dockerfile instructions. The result is its id.

        Raises:
            EngineError: the engine refuses.
        """
        with _refusals(f"{repository}:{tag}", self.path):
            answer = self._client.import_image(str(tar), repository=repository, tag=tag, changes=list(changes))
        return str(json.loads(answer.splitlines()[-1])["status"])

    def remove(self, image: str) -> None:
        """Remove an image; one that is gone is no error.

        Raises:
            ConflictError: a container uses it, or another image builds on it.
        """
        try:
            with _refusals(f"to remove {image}", self.path):
                self._client.remove_image(image)
        except NotFoundError:
            return

    def remove_volume(self, name: str) -> bool:
        """Remove a volume; False when there is none.

        Raises:
            ConflictError: a container uses it.
        """
        try:
            with _refusals(f"to remove volume {name}", self.path):
                self._client.remove_volume(name)
        except NotFoundError:
            return False
        return True


@contextmanager
def _refusals(what: str, path: str) -> Iterator[None]:
    """Raise what the SDK raises as our own errors.

    Raises:
        MachineNotReadyError: no engine answers.
        NotFoundError: the engine knows no such thing.
        ConflictError: the thing is in use.
        EngineError: anything else that the engine refuses.
    """
    import docker  # noqa: PLC0415 # it is there already: the client imported it, or does so next
    import requests  # noqa: PLC0415 # comes with it

    try:
        yield
    except docker.errors.APIError as error:
        kind = {404: NotFoundError, 409: ConflictError}.get(error.status_code or 0, EngineError)
        raise kind(f"Docker refused {what}: {error.explanation or error}", remedy=DOCKER_REMEDY) from error
    except (docker.errors.DockerException, requests.ConnectionError) as error:
        reason = _socket_error(error)
        if reason is None:
            raise EngineError(f"Docker did not answer {what}: {error}", remedy=DOCKER_REMEDY) from error
        raise MachineNotReadyError(
            f"Docker does not answer at {path}: {reason.strerror or reason}.", remedy=how_to_reach(reason)
        ) from error
    except requests.RequestException as error:
        raise EngineError(f"Docker did not answer {what}: {error}", remedy=DOCKER_REMEDY) from error


def _socket_error(error: BaseException) -> OSError | None:
    """The socket's own error below what the SDK and its libraries made of it; None when it was another."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, FileNotFoundError | PermissionError | ConnectionRefusedError):
            return seen
        seen = seen.__cause__ or seen.__context__
    return None

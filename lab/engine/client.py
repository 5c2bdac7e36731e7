"""The Docker Engine's HTTP interface over its socket: the few calls a lab needs.

The Docker SDK costs a quarter of a second to import, which is more than ``pacslab status`` takes altogether, and it
cannot close a command's standard input. Images are :mod:`lab.engine.images`, where its time does not matter. The
interface is version 1.41 (Docker 20.10), which newer engines serve too.
"""

from __future__ import annotations

import http.client
import json
import os
import shutil
import socket
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from lab.errors import EngineError, MachineNotReadyError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from io import BufferedReader
    from typing import IO

API = "/v1.41"
DEFAULT_SOCKET = "/var/run/docker.sock"
NOT_FOUND = 404
NOT_MODIFIED = 304
CONFLICT = 409
SWITCHING = 101
_BAD = 400


class NotFoundError(EngineError):
    """The engine knows no such container or image."""


class ConflictError(EngineError):
    """The engine refuses: a name is taken, or the thing is in use."""


class _Connection(http.client.HTTPConnection):
    """An HTTP connection over a Unix socket."""

    def __init__(self, path: str, timeout: float) -> None:
        super().__init__("docker", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


def socket_path() -> str:
    """The engine's socket, from ``DOCKER_HOST`` where that is set.

    Raises:
        MachineNotReadyError: ``DOCKER_HOST`` names an engine on another machine.
    """
    host = os.environ.get("DOCKER_HOST") or f"unix://{DEFAULT_SOCKET}"
    if not host.startswith("unix://"):
        raise MachineNotReadyError(
            f"DOCKER_HOST is {host}: a lab runs on the engine of this machine only.",
            remedy="Unset DOCKER_HOST, or let it name a Unix socket (unix:///var/run/docker.sock).",
        )
    return host.removeprefix("unix://")


FRAME_HEAD = 8
"""Bytes before each piece of output: the stream, three zeros, and the piece's length."""


class Docker:
    """A Docker Engine. Every call opens a connection of its own, so threads may share one object."""

    def __init__(self, path: str | None = None, timeout: float = 120) -> None:
        """``timeout`` is in seconds and holds for each answer."""
        self.path = path or socket_path()
        self.timeout = timeout

    def call(
        self,
        method: str,
        path: str,
        *,
        query: dict[str, Any] | None = None,
        body: Any = None,
        timeout: float | None = None,
    ) -> Any:
        """Send a request; the answer is decoded JSON, or text where it is none.

        A body of bytes, or a file, is a tar archive.

        Raises:
            MachineNotReadyError: no engine answers.
            NotFoundError: the engine knows no such thing.
            ConflictError: a name is taken, or the thing is in use.
            EngineError: anything else that the engine refuses.
        """
        connection = _Connection(self.path, timeout or self.timeout)
        try:
            response = self._request(connection, method, path, query=query, body=body)
            data = response.read()
        except OSError as error:
            raise EngineError(f"Docker did not answer {method} {path}: {error}.", remedy=DOCKER_REMEDY) from error
        finally:
            connection.close()
        if response.status >= _BAD:
            raise _refusal(response.status, method, path, data)
        if response.headers.get_content_type() == "application/json" and data:
            return json.loads(data)
        return data.decode("utf-8", "replace")

    def hijack(self, path: str, body: Any) -> tuple[socket.socket, BufferedReader]:
        """Send a request after which the connection carries a command's input and output: (socket, reader).

        What comes is to be read from the reader, which may hold the first of it already. Neither has a time limit:
        a command may say nothing for as long as it likes.
        """
        connection = _Connection(self.path, self.timeout)
        headers = {"Connection": "Upgrade", "Upgrade": "tcp"}
        try:
            response = self._request(connection, "POST", path, body=body, headers=headers)
        except OSError as error:
            raise EngineError(f"Docker did not answer POST {path}: {error}.", remedy=DOCKER_REMEDY) from error
        if response.status != SWITCHING:
            data = response.read()
            connection.close()
            raise _refusal(response.status, "POST", path, data)
        reader = response.fp
        response.fp = None  # type: ignore[assignment] # ours now: else it is closed when the response is forgotten
        connection.sock.settimeout(None)
        return connection.sock, reader

    def _request(
        self,
        connection: _Connection,
        method: str,
        path: str,
        *,
        query: dict[str, Any] | None = None,
        body: Any = None,
        headers: dict[str, str] | None = None,
    ) -> http.client.HTTPResponse:
        try:
            connection.connect()
        except OSError as error:
            raise MachineNotReadyError(
                f"Docker does not answer at {self.path}: {error.strerror or error}.", remedy=how_to_reach(error)
            ) from error
        url = f"{API}{path}" + (f"?{urlencode(query)}" if query else "")
        is_archive = isinstance(body, bytes) or hasattr(body, "read")
        kind = "application/x-tar" if is_archive else "application/json"
        payload = body if body is None or is_archive else json.dumps(body).encode()
        connection.request(method, url, payload, {"Content-Type": kind, **(headers or {})})
        return connection.getresponse()

    def unpack(self, container: str, archive: bytes | IO[bytes], folder: str = "/") -> None:
        """Unpack a tar archive in a folder of a container, with the extended attributes that it has."""
        self.call("PUT", f"/containers/{quote(container)}/archive", query={"path": folder}, body=archive)

    def pack(self, container: str, path: str, into: IO[bytes]) -> None:
        """Write a tar archive of a file or folder of a container, which need not run.

        Raises:
            NotFoundError: there is no such file.
            EngineError: Docker refused.
        """
        connection = _Connection(self.path, self.timeout)
        url = f"/containers/{quote(container)}/archive"
        try:
            response = self._request(connection, "GET", url, query={"path": path})
            if response.status >= _BAD:
                raise _refusal(response.status, "GET", url, response.read())
            shutil.copyfileobj(response, into)
        except OSError as error:
            raise EngineError(f"Docker did not answer GET {url}: {error}.", remedy=DOCKER_REMEDY) from error
        finally:
            connection.close()

    def containers(self, *labels: str) -> list[dict[str, Any]]:
        """Containers, running or not, that carry every label (``name`` or ``name=value``)."""
        query = {"all": "1", "filters": json.dumps({"label": list(labels)})}
        found: list[dict[str, Any]] = self.call("GET", "/containers/json", query=query)
        return found

    def inspect(self, container: str) -> dict[str, Any]:
        """Everything about one container."""
        found: dict[str, Any] = self.call("GET", f"/containers/{quote(container)}/json")
        return found

    def inspect_all(self, containers: Iterable[str]) -> dict[str, dict[str, Any]]:
        """Everything about several containers, over one connection; those that are gone are left out."""
        connection = _Connection(self.path, self.timeout)
        found: dict[str, dict[str, Any]] = {}
        try:
            for name in containers:
                if connection.sock is None:
                    connection.connect()
                connection.request("GET", f"{API}/containers/{quote(name)}/json")
                response = connection.getresponse()
                data = response.read()
                if response.status == NOT_FOUND:
                    continue
                if response.status >= _BAD:
                    raise _refusal(response.status, "GET", f"/containers/{name}/json", data)
                found[name] = json.loads(data)
        except OSError as error:
            raise MachineNotReadyError(
                f"Docker does not answer at {self.path}: {error.strerror or error}.", remedy=how_to_reach(error)
            ) from error
        finally:
            connection.close()
        return found

    def create(self, name: str, body: dict[str, Any]) -> None:
        """Create a container."""
        self.call("POST", "/containers/create", query={"name": name}, body=body)

    def rename(self, container: str, name: str) -> None:
        """Give a container another name."""
        self.call("POST", f"/containers/{quote(container)}/rename", query={"name": name})

    def start(self, container: str) -> None:
        """Start a container; one that runs is left alone."""
        self.call("POST", f"/containers/{quote(container)}/start")

    def stop(self, container: str, seconds: int) -> None:
        """Stop a container with its stop signal, and kill it when ``seconds`` have passed."""
        query = {"t": str(seconds)}
        self.call("POST", f"/containers/{quote(container)}/stop", query=query, timeout=seconds + self.timeout)

    def remove(self, container: str) -> None:
        """Kill and remove a container with its volumes; one that is gone is no error."""
        try:
            self.call("DELETE", f"/containers/{quote(container)}", query={"force": "1", "v": "1"})
        except NotFoundError:
            return
        except ConflictError as error:
            if "already in progress" not in error.message:
                raise

    def printed(self, container: str, lines: int) -> str:
        """The last lines that a container's first process printed, both streams as they came."""
        connection = _Connection(self.path, self.timeout)
        query = {"stdout": "1", "stderr": "1", "tail": str(lines)}
        path = f"/containers/{quote(container)}/logs"
        try:
            response = self._request(connection, "GET", path, query=query)
            data = response.read()
        except OSError as error:
            raise EngineError(f"Docker did not answer GET {path}: {error}.", remedy=DOCKER_REMEDY) from error
        finally:
            connection.close()
        if response.status >= _BAD:
            raise _refusal(response.status, "GET", path, data)
        parts = []
        while len(data) >= FRAME_HEAD:  # what comes from a terminal has no frames; a lab starts nothing on one
            end = FRAME_HEAD + int.from_bytes(data[4:FRAME_HEAD], "big")
            parts.append(data[FRAME_HEAD:end])
            data = data[end:]
        return b"".join(parts).decode("utf-8", "replace")

    def info(self) -> dict[str, Any]:
        """What the engine says of itself and its machine."""
        found: dict[str, Any] = self.call("GET", "/info")
        return found


DOCKER_REMEDY = "Look at the engine: 'docker info', and its log ('journalctl -u docker' or /var/log/dockerd.log)."


def how_to_reach(error: OSError) -> str:
    """What a person does about a socket that cannot be used."""
    if isinstance(error, PermissionError):
        return "Join the group 'docker' ('sudo usermod -aG docker $USER', then log in again)."
    return "Install and start Docker: 'make setup', or 'sudo apt install docker.io'."


def _refusal(status: int, method: str, path: str, data: bytes) -> EngineError:
    try:
        text = json.loads(data)["message"]
    except (ValueError, KeyError, TypeError):
        text = data.decode("utf-8", "replace")
    kind = {NOT_FOUND: NotFoundError, CONFLICT: ConflictError}.get(status, EngineError)
    return kind(f"Docker refused {method} {path}: {text.strip()}", remedy=DOCKER_REMEDY)

"""Credentials that must be refused: put on a host for one attempt, and removed again."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from lab.scenarios.failure import require

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.scenarios.stage import Stage
    from lab.trust.untrusted_certificates import Bundle

FOLDER = "/run/pacslab-misuse"


@contextmanager
def placed(stage: Stage[object], host: str, bundle: Bundle) -> Iterator[list[str]]:
    """Put a key and its certificates on a host; yields the arguments that name them to ``pacslab-misuse``.

    The command gives up root, so the files belong to whom the host's own DICOM or HL7 key belongs to.

    Raises:
        StepFailure: the files could not be removed again.
    """
    certificate, key = f"{FOLDER}/attempt.crt", f"{FOLDER}/attempt.key"
    try:
        stage.lab.write(host, certificate, bundle.certificate + bundle.authority, mode=0o600)
        stage.lab.write(host, key, bundle.key, mode=0o600)
        owner = (
            'chown -R --reference="$(ls /etc/pacslab/tls/dicom-client.key /etc/pacslab/tls/hl7.key | head -n 1)" "$1"'
        )
        done = stage.hospital.run(host, ["sh", "-c", owner, "sh", FOLDER])
        require(done.code == 0, f"{host}: {done.stderr.strip()}")
        yield ["--certificate", certificate, "--key", key]
    finally:
        removed = stage.hospital.run(host, ["rm", "-rf", FOLDER])
        require(removed.code == 0, f"{host}: {FOLDER} was not removed: {removed.stderr.strip()}")

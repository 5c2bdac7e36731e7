"""Searches an archive through its DICOMweb edge, with a certificate if whoever runs this can read it.

Arguments: name and port of the edge, the CA's certificate, the certificate with its key. Output: ``status NUMBER``, or
how the connection ended.
"""

from __future__ import annotations

import http.client
import ssl
import sys
from contextlib import suppress

PATIENCE = 10.0
PATH = "/dicom-web/studies?limit=1"


def main(name: str, port: str, authority: str, certificate: str) -> str:
    """Search, and say what came of it."""
    context = ssl.create_default_context(cafile=authority)
    with suppress(PermissionError):
        context.load_cert_chain(certificate)
    connection = http.client.HTTPSConnection(name, int(port), context=context, timeout=PATIENCE)
    try:
        connection.request("GET", PATH)
        return f"status {connection.getresponse().status}"
    except (OSError, http.client.HTTPException) as error:
        return f"closed: {type(error).__name__}: {error}"


if __name__ == "__main__":
    print(main(*sys.argv[1:5]))  # noqa: T201 # its answer

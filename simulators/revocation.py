"""Revocation lists, handed to OpenSSL without anything else that their file may hold.

``SSL_CTX_load_verify_locations`` and libpq's ``sslcrl`` take certificates from a file of lists, and trust them. So the
file is read here, block by block, and what they get is a file in memory that is written here and holds lists alone.
Whether a CA of the site signed a list, OpenSSL judges where it uses it.
"""

from __future__ import annotations

import binascii
import os
import re
from base64 import b64encode
from contextlib import contextmanager
from textwrap import wrap
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FILE = re.compile(rb"(?:-----BEGIN X509 CRL-----\n[A-Za-z0-9+/=\n]+-----END X509 CRL-----\n)+")
"""RFC 7468 clause 3, in its strict form; nothing before, between or after."""
BLOCK = re.compile(rb"-----BEGIN X509 CRL-----\n([A-Za-z0-9+/=\n]+)-----END X509 CRL-----\n")


class NotListsError(OSError):
    """A file of revocation lists that holds something else, or none."""


@contextmanager
def lists_alone(path: Path) -> Iterator[str]:
    """Yield the name of a file that holds the revocation lists of `path` and nothing else, for this process to read.

    Raises:
        NotListsError: `path` holds anything besides revocation lists.
        OSError: it cannot be read.
    """
    memory = os.memfd_create("revocation-lists")
    try:
        with os.fdopen(os.dup(memory), "wb") as copy:
            copy.write(encoded_again(path.read_bytes()))
        yield f"/proc/self/fd/{memory}"
    finally:
        os.close(memory)


def encoded_again(text: bytes) -> bytes:
    """Return a file of revocation lists, written anew from what each of them holds.

    Raises:
        NotListsError: something in it is no revocation list.
    """
    if not FILE.fullmatch(text):
        raise NotListsError("it holds something else than revocation lists, or nothing")
    try:
        lists = [binascii.a2b_base64(block.replace(b"\n", b""), strict_mode=True) for block in BLOCK.findall(text)]
    except binascii.Error as error:
        raise NotListsError(f"a revocation list in it is not encoded as RFC 7468 says: {error}") from error
    return b"".join(_pem(entry) for entry in lists)


def _pem(entry: bytes) -> bytes:
    lines = wrap(b64encode(entry).decode("ascii"), 64)
    return "\n".join(["-----BEGIN X509 CRL-----", *lines, "-----END X509 CRL-----", ""]).encode("ascii")

"""Octet-counted frames of syslog over TLS (RFC 5425 4.3, RFC 6587 3.4.1), taken apart as they come."""

from __future__ import annotations

LONGEST = 65_536
"""Octets of a message; PS3.15 A.6 asks for 32,768 at least."""
DIGITS = 5
"""Of a length, which this is."""


class FrameError(ValueError):
    """What comes is no frame; where the next one begins is unknown, so that the connection is of no more use."""

    def __init__(self, before: list[bytes]) -> None:
        """Keep the messages that were whole before it."""
        super().__init__("what comes is no octet-counted frame")
        self.before = before


class Frames:
    """Frames of one connection.

    >>> frames = Frames()
    >>> frames.feed(b"3 abc5 he"), frames.feed(b"llo")
    ([b'abc'], [b'hello'])
    """

    __slots__ = ("_longest", "_rest")

    def __init__(self, longest: int = LONGEST) -> None:
        """Take messages of up to `longest` octets."""
        self._longest = longest
        self._rest = b""

    @property
    def rest(self) -> bytes:
        """What is no whole frame yet."""
        return self._rest

    def feed(self, data: bytes) -> list[bytes]:
        """Return the messages that are whole with what has come; what is none yet is kept, up to one frame of it.

        Raises:
            FrameError: a length is no number, begins with 0, or is of more than may be; :attr:`rest` begins there.
        """
        data = self._rest + data
        found: list[bytes] = []
        begin, size = 0, len(data)
        while begin < size:
            blank = data.find(b" ", begin, begin + DIGITS + 1)
            if blank < 0:
                self._rest = data[begin:]
                if size - begin > DIGITS or not data[begin:].isdigit() or data[begin] == ord("0"):
                    raise FrameError(found)
                return found
            digits = data[begin:blank]
            if not digits.isdigit() or digits[0] == ord("0") or int(digits) > self._longest:
                self._rest = data[begin:]
                raise FrameError(found)
            end = blank + 1 + int(digits)
            if end > size:
                break
            found.append(data[blank + 1 : end])
            begin = end
        self._rest = data[begin:]
        return found

"""Heads of requests that two programs may read differently: a proxy would pass on another request than is served here.

h11 refuses most of what is wrong. What it takes, as the standard allows that, is here.
"""

import re

_END = re.compile(rb"\n\r?\n")
_BARE = re.compile(rb"(?<!\r)\n|\r(?!\n)")
_FOLDED = re.compile(rb"\r\n[ \t]")
_LENGTH = re.compile(rb"\r\ncontent-length:([^\r]*)", re.IGNORECASE)
_CODING = re.compile(rb"\r\ntransfer-encoding:", re.IGNORECASE)


def ambiguous(received: bytes) -> str | None:
    """What is wrong with the head that begins here, as a sentence; None while it is not whole, and if nothing is."""
    end = _END.search(received)
    if end is None:
        return None
    head = received[: end.end()]
    if _BARE.search(head):
        return "A line of the head ends with something else than CR and LF."
    if _FOLDED.search(head):
        return "A header goes on in a second line."
    lengths, codings = _LENGTH.findall(head), len(_CODING.findall(head))
    if lengths and codings:
        return "The request has both a Content-Length and a Transfer-Encoding."
    if len(lengths) > 1 or codings > 1 or any(b"," in one for one in lengths):
        return "The request says its length twice."
    return None

"""Characters that people do not see, or that change what they see around them."""

import re

_UNSEEN = (
    r"\x00-\x1f\x7f-\x9f"  # controls: C0, DEL, C1
    r"\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # direction of writing (Unicode's Bidi_Control)
    r"\u2028\u2029"  # line and paragraph separators
    r"\ud800-\udfff"  # halves of pairs, which no terminal can be sent
)
_ANY = re.compile(f"[{_UNSEEN}]")
_NOT_IN_PROSE = re.compile(rf"(?![\t\n\r])[{_UNSEEN}]")


def has_unseen(text: str) -> bool:
    """Whether a character in it is a control, or changes the direction in which the text is shown."""
    return _ANY.search(text) is not None


def has_unseen_in_prose(text: str) -> bool:
    """The same for text of several lines: tabs and line ends are allowed."""
    return _NOT_IN_PROSE.search(text) is not None


def visible(text: str) -> str:
    r"""The text with such characters written as ``\u001b``: what reads the same in a JSON string."""
    return _ANY.sub(lambda found: f"\\u{ord(found[0]):04x}", text)

"""What people read, in their language: English, and Chinese where the environment asks for it.

An English sentence is the key of its translation in ``zh.json``. A catalogue of gettext would have to be compiled; this
one is read as it is, and only where it is needed. What programs read is English always.
"""

import os
import re
import sys
from collections.abc import Iterable, Mapping
from contextvars import ContextVar
from functools import cache
from pathlib import Path

_CHINESE = "zh"
_SAMPLE = "中文，。"
_FOR_PROGRAM: ContextVar[bool] = ContextVar("for_program", default=False)
"""Of the command that runs. What it says is put together in many places, and none of them knows its ``-o``."""


def tr(sentence: str, /, **values: object) -> str:
    """The sentence in the reader's language, with these values at their names in it."""
    text = _words().get(sentence, sentence)
    return text.format(**values) if values else text


def trn(one: str, many: str, count: int, /, **values: object) -> str:
    """The sentence for so many; ``{count}`` in it is the number. Its key is ``many``: Chinese has no plural."""
    return _words().get(many, one if count == 1 else many).format(count=count, **values)


def because(what: str, why: object) -> str:
    """``what: why``; only ``what`` where there is no reason."""
    return tr("{what}: {why}", what=what, why=why) if why else what


def aside(what: str, more: object) -> str:
    """``what (more)``; only ``what`` where there is no more to say."""
    return tr("{what} ({more})", what=what, more=more) if more else what


def key(sentence: str) -> str:
    """The sentence itself: it is translated where it is used."""
    return sentence


def known(sentence: str | None) -> str | None:
    """The translation of a sentence; None where there is none, as in English."""
    return None if sentence is None else _words().get(sentence)


def retold(text: str, templates: Iterable[str]) -> str:
    """The text of a library or a server in the reader's language, if it is one of these sentences with some values."""
    if not is_english():
        for template in templates:
            if found := _pattern(template).fullmatch(text):
                return tr(template, **found.groupdict())
    return text


def speak(*, for_program: bool) -> None:
    """Say all in English from now on if a program reads it, else as the environment asks."""
    _FOR_PROGRAM.set(for_program)


def is_english() -> bool:
    """Whether people are spoken to in English."""
    return not _words()


def asks_for_chinese(environment: Mapping[str, str]) -> bool:
    """Whether these variables do, as gettext reads them: ``LANGUAGE`` counts wherever there is a locale at all."""
    locale = next((value for name in ("LC_ALL", "LC_MESSAGES", "LANG") if (value := environment.get(name))), "C")
    if _language(locale) in ("c", "posix"):
        return False
    languages = [_language(one) for one in (environment.get("LANGUAGE") or locale).split(":")]
    return next((one for one in languages if one in ("en", "c", "posix", _CHINESE)), "") == _CHINESE


def _language(locale: str) -> str:
    return re.split("[-_.@]", locale, maxsplit=1)[0].lower()


def _words() -> Mapping[str, str]:
    if _FOR_PROGRAM.get() or not asks_for_chinese(os.environ):
        return {}
    return _chinese() if _can_write_chinese(getattr(sys.stdout, "encoding", None) or "utf-8") else {}


@cache
def _can_write_chinese(encoding: str) -> bool:
    try:
        _SAMPLE.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


@cache
def _chinese() -> Mapping[str, str]:
    import json

    found: dict[str, str] = json.loads(Path(__file__).with_name("zh.json").read_text(encoding="utf-8"))
    return found


@cache
def _pattern(template: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\\{(\w+)\\}", r"(?P<\1>.*)", re.escape(template)), re.DOTALL)

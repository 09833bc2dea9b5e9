"""When a CronJob runs: the five fields of cron, or a word such as ``@daily``, as Kubernetes reads them."""

import re

MACROS = ("@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly")

_MONTHS = {
    name: number
    for number, name in enumerate(
        ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), start=1
    )
}
_DAYS = {name: number for number, name in enumerate(("sun", "mon", "tue", "wed", "thu", "fri", "sat"))}
_FIELDS: tuple[tuple[str, int, int, dict[str, int]], ...] = (
    ("minute", 0, 59, {}),
    ("hour", 0, 23, {}),
    ("day of the month", 1, 31, {}),
    ("month", 1, 12, _MONTHS),
    ("day of the week", 0, 6, _DAYS),
)
_EVERY = re.compile(r"@every ([0-9]+(\.[0-9]+)?(h|m|s|ms))+")
_NUMBER = re.compile(r"[0-9]{1,3}", re.ASCII)
_ZONE = re.compile(r"[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*")


def wrong_with_schedule(text: str) -> str | None:
    """Why it is no schedule, to follow the text; None if it is one."""
    if text.startswith("@"):
        known = text in MACROS or _EVERY.fullmatch(text) is not None
        return None if known else f"is none of {', '.join(MACROS)} and @every"
    if "TZ" in text:
        return "names a time zone: give it as timeZone"
    given = text.split()
    if len(given) != len(_FIELDS):
        return f"has {len(given)} fields and not the five of cron: minute, hour, day of the month, month, weekday"
    for part, (what, least, most, words) in zip(given, _FIELDS, strict=True):
        if not all(_is_range(one, least, most, words) for one in part.split(",")):
            return f'has the {what} "{part[:40]}", which is between {least} and {most}, as 1, 1-5, 1,3 or */2'
    return None


def is_time_zone(text: str) -> bool:
    """Whether it can name a time zone such as ``Europe/Berlin``; that of the machine is none."""
    return len(text) <= 64 and text != "Local" and _ZONE.fullmatch(text) is not None


def _is_range(text: str, least: int, most: int, words: dict[str, int]) -> bool:
    """Whether it is ``*``, a number or a range of them, with a step or without."""
    span, slash, step = text.partition("/")
    if slash and not (_NUMBER.fullmatch(step) and int(step) > 0):
        return False
    if span in ("*", "?"):
        return True
    first, dash, last = span.partition("-")
    numbers = [_number(one, words) for one in ((first, last) if dash else (first,))]
    if any(number is None or not least <= number <= most for number in numbers):
        return False
    return numbers == sorted(numbers, key=lambda number: number or 0)


def _number(text: str, words: dict[str, int]) -> int | None:
    return int(text) if _NUMBER.fullmatch(text) else words.get(text.lower())

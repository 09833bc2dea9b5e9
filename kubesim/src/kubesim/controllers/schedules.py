"""The schedules of CronJobs: ``*/5 1-3 * JAN MON``, ``@daily`` and the like."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self

_NAMED = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_NAMES: tuple[dict[str, int], ...] = (
    {},
    {},
    {},
    {name: number for number, name in enumerate(_MONTHS, 1)},
    {name: number for number, name in enumerate(_DAYS)},
)
_SPANS = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))
_HORIZON = 366 * 5
"""Days after which a schedule that has found no day has none."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """Minutes, hours, days, months, days of the week. Where both kinds of days are given, either is enough."""

    fields: tuple[frozenset[int], ...]
    any_day: bool
    any_weekday: bool

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a schedule. Raises ValueError."""
        words = _NAMED.get(text.strip(), text).split()
        if len(words) != len(_SPANS):
            raise ValueError(f"expected exactly 5 fields, found {len(words)}: [{text}]")
        fields = [_field(word, *span, known) for word, span, known in zip(words, _SPANS, _NAMES, strict=True)]
        fields[4] = frozenset(day % 7 for day in fields[4])
        return cls(tuple(fields), words[2][0] in "*?", words[4][0] in "*?")

    def following(self, after: datetime) -> datetime | None:
        """The first time after a moment; None if there is none."""
        minutes, hours = sorted(self.fields[0]), sorted(self.fields[1])
        start = after.replace(second=0, microsecond=0) + timedelta(minutes=1)
        day = start.replace(hour=0, minute=0)
        for _ in range(_HORIZON):
            if self._has(day):
                for hour in hours:
                    for minute in minutes:
                        moment = day.replace(hour=hour, minute=minute)
                        if moment >= start:
                            return moment
            day += timedelta(days=1)
        return None

    def latest(self, after: datetime, until: datetime) -> datetime | None:
        """The last time in a span, none before it."""
        found, moment = None, self.following(after)
        while moment is not None and moment <= until:
            found, moment = moment, self.following(moment)
        return found

    def _has(self, day: datetime) -> bool:
        by_date = day.day in self.fields[2]
        by_weekday = day.isoweekday() % 7 in self.fields[4]
        either = by_date and by_weekday if self.any_day or self.any_weekday else by_date or by_weekday
        return day.month in self.fields[3] and either


def _field(text: str, low: int, high: int, names: dict[str, int]) -> frozenset[int]:
    found: set[int] = set()
    for part in text.lower().split(","):
        span, slash, step = part.partition("/")
        first, dash, last = span.partition("-")
        if span in ("*", "?"):
            start, end = low, high
        else:
            start = _number(first, names)
            end = _number(last, names) if dash else high if slash else start
        width = int(step) if slash else 1
        if not low <= start <= end <= high or width < 1:
            raise ValueError(f"{text} is not in the range from {low} to {high}")
        found |= set(range(start, end + 1, width))
    return frozenset(found)


def _number(text: str, names: dict[str, int]) -> int:
    return names[text] if text in names else int(text)

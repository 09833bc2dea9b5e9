"""Where a reader of every task's events is.

Ids are given out before the commit, so of two tasks the event with the lower id may come later. (Not within a task:
`events.append_many` locks its row.) What such a reader has is therefore not told by one number, but by the last id and
the ids below it that were not there yet. Some never come: their transaction was rolled back.
"""

import re
from bisect import bisect_left
from typing import NamedTuple, Self

MOST_GAPS = 100
"""More are not kept: the lowest go first."""
PATTERN = "^[0-9]{1,18}(:[0-9]{1,18}-[0-9]{1,18}(,[0-9]{1,18}-[0-9]{1,18})*)?$"


class Gap(NamedTuple):
    """Ids that were not there: both ends are among them. ``since``: the turn in which that was seen first."""

    low: int
    high: int
    since: int


class Position:
    """It has every event up to ``last``, but for those in the gaps, which are in order."""

    def __init__(self, last: int = 0, gaps: list[Gap] | None = None) -> None:
        self.last = last
        self.gaps = gaps or []

    @classmethod
    def read(cls, text: str, turn: int) -> Self:
        """The reverse of ``str``, of what fits `PATTERN`."""
        last, _, gaps = text.partition(":")
        position = cls(int(last))
        end = 0
        for low, high in sorted((int(low), int(high)) for low, high in re.findall(r"(\d+)-(\d+)", gaps)):
            position._miss(max(low, end + 1), min(high, position.last), turn)
            end = max(end, high)
        position._bound()
        return position

    def __str__(self) -> str:
        gaps = ",".join(f"{gap.low}-{gap.high}" for gap in self.gaps)
        return f"{self.last}:{gaps}" if gaps else str(self.last)

    def copy(self) -> "Position":
        """Another one in the same place."""
        return Position(self.last, list(self.gaps))

    def add(self, event_id: int, turn: int) -> bool:
        """Note that it has this event; whether it is new."""
        if event_id > self.last:
            self._miss(self.last + 1, event_id - 1, turn)
            self._bound()
            self.last = event_id
            return True
        place = bisect_left(self.gaps, event_id, key=lambda gap: gap.high)
        if place == len(self.gaps) or self.gaps[place].low > event_id:
            return False
        gap = self.gaps[place]
        parts = (gap._replace(high=event_id - 1), gap._replace(low=event_id + 1))
        self.gaps[place : place + 1] = [part for part in parts if part.low <= part.high]
        self._bound()
        return True

    def _miss(self, low: int, high: int, turn: int) -> None:
        if low <= high:
            self.gaps.append(Gap(low, high, turn))

    def watch(self, other: "Position", turn: int) -> None:
        """Miss what the other one misses, too."""
        for gap in other.gaps:
            low = gap.low
            for own in list(self.gaps):
                if own.high >= low and own.low <= gap.high:
                    self._miss(low, own.low - 1, turn)
                    low = own.high + 1
            self._miss(low, min(gap.high, self.last), turn)
            self.gaps.sort()
        self._bound()

    def forget(self, before: int) -> None:
        """What was missed before that turn, and is still not there, never comes."""
        if self.gaps and any(gap.since < before for gap in self.gaps):
            self.gaps = [gap for gap in self.gaps if gap.since >= before]

    def _bound(self) -> None:
        del self.gaps[: max(0, len(self.gaps) - MOST_GAPS)]

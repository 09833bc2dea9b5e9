"""The audit's chain: the hash of each row is over the row and the hash of the row before it.

Pure, so that an auditor can check an exported file without a server. The canonical form of a row is JSON in ASCII with
sorted keys and no blanks: all its fields but ``hash``. The hash is SHA-256 of that, or HMAC-SHA-256 with a key, without
which nobody who can write the database can make a chain that fits.
"""

import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self

START = "0" * 64
"""What the first row has as the hash before it."""
PRUNED = "prune_audit"
"""The operation of the row that says which rows were deleted because they were old; its target is a `Checkpoint`."""
MIN_KEY = 32
"""Characters of a key, at least."""

_TEXTS = (
    "time",
    "caller",
    "authenticated",
    "address",
    "method",
    "operation",
    "target",
    "cluster",
    "app",
    "task",
    "requestId",
    "key",
    "previous",
)
_NUMBERS = ("seq", "status", "code")
FIELDS = frozenset((*_TEXTS, *_NUMBERS, "hash"))

Row = Mapping[str, Any]
"""A row as it is exported: `FIELDS`, with the names that they have on the wire."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A row by its number and its hash: with it a chain that was cut off behind it is found out."""

    seq: int
    hash: str

    def __str__(self) -> str:
        return f"{self.seq}:{self.hash}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """The reverse of ``str``. Raises `ValueError`."""
        seq, _, digest = text.strip().partition(":")
        if not (seq.isascii() and seq.isdigit() and len(seq) < 19 and _is_hash(digest)):
            raise ValueError("a checkpoint is a number, a colon and 64 hexadecimal digits")
        return cls(int(seq), digest)


BEGINNING = Checkpoint(0, START)


class Flaw(StrEnum):
    """What is wrong with a row; ``{other}`` is another row's number."""

    NO_ROW = "it is no row of an audit"
    CHANGED = "its hash does not fit what it says"
    OTHER_KEY = "it is not under a key that was given"
    MISSING = "it is missing"
    MISSING_FIRST = "it is missing: the oldest one is {other}"
    MISSING_LAST = "it is missing: the last one is {other}"
    NOT_PRUNED = "it is missing: no row says that those up to {other} were deleted for their age"
    MISPLACED = "it comes after row {other}"
    UNLINKED = "it does not follow row {other}: one of the two is not the one that was recorded"
    NOT_CHECKPOINT = "it is not the one of the checkpoint"
    NOT_HEAD = "it is not the one that the server says it has appended last"


class Broken(Exception):
    """The chain is not whole: ``seq`` is the first row that is wrong or missing."""

    def __init__(self, seq: int, flaw: Flaw, other: int = 0) -> None:
        super().__init__(f"row {seq}: {flaw.format(other=other)}")
        self.seq = seq
        self.flaw = flaw
        self.other = other


class KeyMissing(Exception):
    """The rows are under a key, and none was given: nothing can be said of them."""


def key_id(key: str | None) -> str:
    """What a row says of the key that it is under; empty without one. It does not tell the key."""
    return "" if key is None else hmac.new(key.encode(), b"kubemin audit key", hashlib.sha256).hexdigest()[:16]


def hash_of(row: Row, key: str | None) -> str:
    """The hash of a row, whatever it has as its own."""
    said = {name: value for name, value in row.items() if name != "hash"}
    canonical = json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()
    if key is None:
        return hashlib.sha256(canonical).hexdigest()
    return hmac.new(key.encode(), canonical, hashlib.sha256).hexdigest()


class Walk:
    """Checks a chain, row by row from the oldest on.

    ``keys`` are those that rows may be under: with one, a row without is refused. ``after`` is a checkpoint that
    somebody kept: the row has to be there as it was, and what comes before it is not looked at. ``head`` is the row
    that a server says it has appended last; more may have come since.
    """

    def __init__(
        self, keys: Sequence[str] = (), after: Checkpoint | None = None, head: Checkpoint | None = None
    ) -> None:
        self._keys = {key_id(key): key for key in keys}
        self._after = after or BEGINNING
        self._is_kept = after is not None
        self._head = head or BEGINNING
        self._start: Checkpoint | None = None
        """What the first row follows, unless the chain begins with it: a later row has to say that it was pruned."""
        self.last: Checkpoint | None = None
        self.rows = 0

    @property
    def next(self) -> int:
        """The number of the row that comes next."""
        return self.last.seq + 1 if self.last else max(1, self._after.seq)

    def take(self, row: Any) -> None:
        """Check the next row. Raises `Broken`, `KeyMissing`."""
        _check_form(row, self.next)
        found = Checkpoint(row["seq"], row["hash"])
        if self.last is None and found.seq < self._after.seq:
            return
        if self.last is None and found.seq > self._after.seq and self._after.seq:
            raise Broken(self._after.seq, Flaw.MISSING_FIRST, found.seq)
        if self.last is not None and found.seq > self.next:
            raise Broken(self.next, Flaw.MISSING)
        if self.last is not None and found.seq < self.next:
            raise Broken(found.seq, Flaw.MISPLACED, self.last.seq)
        self._check_hash(row)
        if self.last is None:
            self._check_first(found, row["previous"])
        elif row["previous"] != self.last.hash:
            raise Broken(found.seq, Flaw.UNLINKED, self.last.seq)
        if found.seq == self._head.seq and found != self._head:
            raise Broken(found.seq, Flaw.NOT_HEAD)
        if row["operation"] == PRUNED and self._start is not None and row["target"] == str(self._start):
            self._start = None
        self.last = found
        self.rows += 1

    def end(self) -> Checkpoint:
        """All rows were taken: the last one, to be kept. Raises `Broken` where the chain was cut off at either end."""
        if self._start is not None:
            raise Broken(1, Flaw.NOT_PRUNED, self._start.seq)
        last = self.last or BEGINNING
        if self.last is None and self._after.seq:
            raise Broken(self._after.seq, Flaw.MISSING)
        if last.seq < self._head.seq:
            raise Broken(last.seq + 1, Flaw.MISSING_LAST, self._head.seq)
        return last

    def _check_hash(self, row: Row) -> None:
        if row["key"] and not self._keys:
            raise KeyMissing
        if self._keys and row["key"] not in self._keys:
            raise Broken(row["seq"], Flaw.OTHER_KEY)
        if not hmac.compare_digest(hash_of(row, self._keys.get(row["key"])), row["hash"]):
            raise Broken(row["seq"], Flaw.CHANGED)

    def _check_first(self, found: Checkpoint, previous: str) -> None:
        if self._after.seq:
            if found != self._after:
                raise Broken(found.seq, Flaw.NOT_CHECKPOINT)
            return
        before = Checkpoint(found.seq - 1, previous)
        if before == BEGINNING:
            return
        if found.seq == 1:
            raise Broken(1, Flaw.UNLINKED, 0)
        if self._is_kept:
            raise Broken(1, Flaw.MISSING_FIRST, found.seq)
        self._start = before


def verify(
    rows: Iterable[Row], keys: Sequence[str] = (), after: Checkpoint | None = None, head: Checkpoint | None = None
) -> Walk:
    """Walk all of them. Raises `Broken`, `KeyMissing`."""
    walk = Walk(keys, after, head)
    for row in rows:
        walk.take(row)
    walk.end()
    return walk


def _check_form(row: Any, expected: int) -> None:
    if not isinstance(row, dict) or not _is_number(row.get("seq")):
        raise Broken(expected, Flaw.NO_ROW)
    texts = all(isinstance(row.get(name), str) for name in (*_TEXTS, "hash"))
    if row.keys() != FIELDS or not texts or not all(_is_number(row[name]) for name in _NUMBERS):
        raise Broken(row["seq"], Flaw.NO_ROW)


def _is_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63


def _is_hash(text: str) -> bool:
    return len(text) == len(START) and not set(text) - set("0123456789abcdef")

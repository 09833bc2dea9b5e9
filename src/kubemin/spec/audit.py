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


class Broken(Exception):
    """The chain is not whole. ``seq`` is the first row that is wrong or missing; `why` says which of these."""

    def __init__(self, seq: int, why: str) -> None:
        super().__init__(f"row {seq} {why}")
        self.seq = seq
        self.why = why


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
    somebody kept: the row has to be there as it was, and what comes before it is not looked at.
    """

    def __init__(self, keys: Sequence[str] = (), after: Checkpoint | None = None) -> None:
        self._keys = {key_id(key): key for key in keys}
        self._after = after
        self._start: Checkpoint | None = None
        """What the first row follows, unless the chain begins with it: a later row has to say that it was pruned."""
        self.last: Checkpoint | None = None
        self.rows = 0

    def take(self, row: Any) -> None:
        """Check the next row. Raises `Broken`, `KeyMissing`."""
        seq = self.last.seq + 1 if self.last else max(1, self._after.seq if self._after else 1)
        _check_form(row, seq)
        if self.last is None and self._after is not None and row["seq"] < self._after.seq:
            return
        self._check_hash(row)
        found = Checkpoint(row["seq"], row["hash"])
        if self.last is None:
            self._check_first(found, row["previous"])
        elif found.seq > seq:
            raise Broken(seq, "is missing")
        elif found.seq < seq:
            raise Broken(found.seq, f"comes after row {self.last.seq}: it is there twice, or not in its place")
        elif row["previous"] != self.last.hash:
            raise Broken(found.seq, f"does not follow row {self.last.seq}: one of the two is not what was recorded")
        if row["operation"] == PRUNED and self._start is not None and row["target"] == str(self._start):
            self._start = None
        self.last = found
        self.rows += 1

    def end(self, head: Checkpoint | None = None) -> Checkpoint:
        """All rows were taken: the last one, to be kept. ``head``: the one that a server says it has appended last.

        Raises `Broken` where the chain was cut off at either end.
        """
        if self._start is not None:
            raise Broken(1, f"is missing: no row says that those up to {self._start.seq} were deleted for their age")
        if self._after is not None and self._after.seq > 0 and self.last is None:
            raise Broken(self._after.seq, "is missing: the chain ends before it")
        last = self.last or BEGINNING
        if head is not None and head.seq > last.seq:
            raise Broken(last.seq + 1, f"is missing: the last row that was appended is {head.seq}")
        if head is not None and head.seq == last.seq and head.hash != last.hash:
            raise Broken(last.seq, "is not the one that was appended last")
        return last

    def _check_hash(self, row: Row) -> None:
        if row["key"] and not self._keys:
            raise KeyMissing
        if self._keys and row["key"] not in self._keys:
            under = f"key {row['key']}, which was not given" if row["key"] else "no key"
            raise Broken(row["seq"], f"is under {under}")
        if not hmac.compare_digest(hash_of(row, self._keys.get(row["key"])), row["hash"]):
            raise Broken(row["seq"], "is not what was recorded: its hash does not fit")

    def _check_first(self, found: Checkpoint, previous: str) -> None:
        if self._after is None or self._after.seq == 0:
            before = Checkpoint(found.seq - 1, previous)
            if found.seq == 1 and previous != START:
                raise Broken(1, "is not the first one: it follows another row")
            if self._after is not None and before != BEGINNING:
                raise Broken(1, f"is missing: the oldest row is {found.seq}")
            self._start = before if before.seq else None
        elif found.seq > self._after.seq:
            raise Broken(self._after.seq, f"is missing: the oldest row is {found.seq}")
        elif found.hash != self._after.hash:
            raise Broken(found.seq, "is not the one of the checkpoint")


def verify(
    rows: Iterable[Row], keys: Sequence[str] = (), after: Checkpoint | None = None, head: Checkpoint | None = None
) -> Walk:
    """Walk all of them. Raises `Broken`, `KeyMissing`."""
    walk = Walk(keys, after)
    for row in rows:
        walk.take(row)
    walk.end(head)
    return walk


def _check_form(row: Any, expected: int) -> None:
    if not isinstance(row, dict) or not _is_number(row.get("seq")):
        raise Broken(expected, "is no row of an audit")
    texts = all(isinstance(row.get(name), str) for name in (*_TEXTS, "hash"))
    if row.keys() != FIELDS or not texts or not all(_is_number(row[name]) for name in _NUMBERS):
        raise Broken(row["seq"], "has not the fields of a row")


def _is_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63


def _is_hash(text: str) -> bool:
    return len(text) == len(START) and not set(text) - set("0123456789abcdef")

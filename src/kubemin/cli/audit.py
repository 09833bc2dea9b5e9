"""``kubemin audit``: who changed what, and whether that is still what was recorded."""

import json
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from kubemin.cli.by_code import of_system
from kubemin.cli.connection import Connection
from kubemin.cli.exits import CliError, Exit
from kubemin.cli.language import because, key, tr, trn
from kubemin.cli.listing import listed
from kubemin.cli.output import Output, moment, say
from kubemin.cli.settings import settings_of
from kubemin.client.sync import Client
from kubemin.spec.audit import Broken, Checkpoint, Flaw, KeyMissing, Walk

_PAGE = 1000

_FLAWS = {
    Flaw.NO_ROW: key("row {seq} is no row of an audit"),
    Flaw.CHANGED: key("row {seq} is not what was recorded: its hash does not fit what it says"),
    Flaw.OTHER_KEY: key("row {seq} is not under a key that was given"),
    Flaw.MISSING: key("row {seq} is missing"),
    Flaw.MISSING_FIRST: key("row {seq} is missing: the oldest one is {other}"),
    Flaw.MISSING_LAST: key("row {seq} is missing: the last one is {other}"),
    Flaw.NOT_PRUNED: key("row {seq} is missing: no row says that those up to {other} were deleted for their age"),
    Flaw.MISPLACED: key("row {seq} is not in its place: it comes after row {other}"),
    Flaw.UNLINKED: key("row {seq} does not follow row {other}: one of the two is not the one that was recorded"),
    Flaw.NOT_CHECKPOINT: key("row {seq} is not the one of the checkpoint"),
    Flaw.NOT_HEAD: key("row {seq} is not the one that the server says it has appended last"),
}


@dataclass(frozen=True)
class Wanted:
    """Which rows; all that is given has to fit."""

    since: str | None = None
    until: str | None = None
    caller: str | None = None
    operation: str | None = None
    cluster: str | None = None
    app: str | None = None
    task: str | None = None
    outcome: str | None = None
    request_id: str | None = None


def audit(wanted: Wanted, limit: int, to: Connection) -> None:
    """List the calls that may have changed something, newest first. Raises `CliError`."""
    given: dict[str, Any] = asdict(wanted)
    with to.client() as client:
        found = listed("rows", limit, lambda size, after: client.audit(**given, page_size=size, after=after))
    if to.output.printed(found, [one["seq"] for one in found["rows"]]):
        return
    rows = [
        (
            one["seq"],
            moment(one["time"]),
            one["caller"],
            one["authenticated"] or "-",
            one["address"] or "-",
            one["operation"],
            one["status"] or "-",
            one["code"],
            one["requestId"] or "-",
            one["task"] or "-",
            one["cluster"] or "-",
            one["target"] or one["app"] or "-",
        )
        for one in found["rows"]
    ]
    columns = (
        key("row"),
        key("time"),
        key("caller"),
        key("authenticated"),
        key("from"),
        key("operation"),
        key("status"),
        key("code"),
        key("request"),
        key("task"),
        key("cluster"),
        key("target"),
    )
    to.output.table(columns, rows, key("no rows"), wide=("authenticated", "code", "request", "cluster"))


def export(wanted: Wanted, to: Connection) -> None:
    """Print the rows as JSON lines, oldest first. Raises `CliError`."""
    with to.client() as client:
        for line in _lines(client, wanted, 1):
            say(line)


def verify(file: str | None, after: str | None, key_file: Path | None, to: Connection) -> int:
    """Walk the chain of a file, ``-`` or the server; its exit code. Raises `CliError`."""
    keys, place = _keys(key_file), None if after is None else _checkpoint(after)
    try:
        if file is None:
            with to.client() as client:
                head = client.audit(page_size=1)["head"]
                walk = Walk(keys, place, Checkpoint(head["seq"], head["hash"]))
                _take(walk, _lines(client, Wanted(), walk.next))
        else:
            walk = Walk(keys, place)
            _take(walk, _read(file))
        last = walk.end()
    except Broken as broken:
        sentence = tr(_FLAWS[broken.flaw], seq=broken.seq, other=broken.other)
        wrong = {"valid": False, "seq": broken.seq, "flaw": broken.flaw.name, "message": sentence}
        if to.output.printed(wrong, [broken.seq]):
            return Exit.TAMPERED
        raise CliError(sentence, Exit.TAMPERED) from broken
    except KeyMissing as error:
        message = tr("the rows are under a key: give it by --key-file or KUBEMIN_AUDIT_KEY")
        raise CliError(message, Exit.USAGE) from error
    _tell(walk, last, keyed=bool(keys), output=to.output)
    return Exit.OK


def _tell(walk: Walk, last: Checkpoint, *, keyed: bool, output: Output) -> None:
    if output.printed({"valid": True, "rows": walk.rows, "checkpoint": str(last), "keyed": keyed}, [last]):
        return
    output.tell(trn("{count} row is as it was recorded", "{count} rows are as they were recorded", walk.rows))
    if not keyed:
        warning = tr("They are under no key: whoever can write the database can make rows that fit. Keep checkpoints.")
        output.tell(warning)
    say(tr("checkpoint: {place}", place=last) if output.is_chatty else str(last))


def _take(walk: Walk, lines: Iterator[str]) -> None:
    for line in lines:
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            row = None
        walk.take(row)


def _lines(client: Client, wanted: Wanted, first: int) -> Iterator[str]:
    """A page at a time: the log of years does not fit into the memory, and an answer that breaks off is no end."""
    while True:
        lines = client.audit_lines(**asdict(wanted), first=first, limit=_PAGE).splitlines()
        yield from lines
        if len(lines) < _PAGE:
            return
        first = json.loads(lines[-1])["seq"] + 1


def _read(file: str) -> Iterator[str]:
    try:
        if file == "-":
            yield from sys.stdin
            return
        with open(file, encoding="utf-8") as lines:
            yield from lines
    except (OSError, UnicodeError) as error:
        why = of_system(error) if isinstance(error, OSError) else str(error)
        raise CliError(because(tr("cannot read {path}", path=file), why), Exit.USAGE) from error


def _checkpoint(text: str) -> Checkpoint:
    try:
        return Checkpoint.parse(text)
    except ValueError as error:
        message = tr("--after takes a checkpoint: a row's number, a colon, and its hash")
        raise CliError(message, Exit.USAGE) from error


def _keys(file: Path | None) -> list[str]:
    """Those of the file, one a line, else that of the environment."""
    if file is None:
        given = settings_of().audit_key
        return [given] if given else []
    found = [line.strip() for line in _read(str(file))]
    return [line for line in found if line]

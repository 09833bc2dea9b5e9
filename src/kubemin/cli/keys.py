"""``kubemin key``: what seals secrets in the database."""

from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

from kubemin.cli.exits import CliError, Exit
from kubemin.cli.language import key, tr, trn
from kubemin.cli.output import Output, say
from kubemin.sealing.errors import BadKeys
from kubemin.sealing.keys import generate

if TYPE_CHECKING:
    from kubemin.settings import Settings
    from kubemin.store import Database
    from kubemin.store.sealing_keys import Counts

T = TypeVar("T")

_EACH = 1000


def print_new(key_id: str | None) -> None:
    """Print a new key, as a line for the setting or the file. Raises :class:`CliError`."""
    try:
        say(generate(key_id))
    except BadKeys as error:
        raise CliError(str(error), Exit.USAGE) from error


def status(settings: "Settings", output: Output) -> None:
    """Print how many values are sealed with each key, and how many are in plain text. Raises :class:`CliError`."""
    from kubemin.store.sealing_keys import count

    first, known, counts = _with_database(settings, lambda db: _counted(db, count))
    totals: dict[str, int] = dict.fromkeys([*known, ""], 0)
    for of_column in counts.values():
        for key_id, number in of_column.items():
            totals[key_id] = totals.get(key_id, 0) + number
    plain = totals.pop("")
    keys = [{"id": one, "state": _state(one, first, known), "values": number} for one, number in totals.items()]
    columns = {column: {key_id or "plain": number for key_id, number in of.items()} for column, of in counts.items()}
    if output.printed({"keys": keys, "plain": plain, "columns": columns}, list(totals)):
        return
    rows = [[str(one["id"]), _said(str(one["state"])), str(one["values"])] for one in keys]
    output.table([key("key"), key("state"), key("values")], [*rows, [tr("(plain text)"), "", str(plain)]], "")


def rotate(settings: "Settings", output: Output, *, accept_plain: bool = False) -> None:
    """Seal anew all that is not sealed with the first key, and tell how it goes. Raises :class:`CliError`.

    ``accept_plain``: also what was put there in plain text after all was sealed, which is refused otherwise.
    """
    sealed = _with_database(settings, lambda db: _rotated(db, output, accept_plain=accept_plain))
    if not output.printed({"sealed": sealed}, [str(sealed)]):
        said = trn("{count} value was sealed anew", "{count} values were sealed anew", sealed)
        output.tell(f"{said}; {tr('all are sealed with the first key')}")


async def _counted(
    db: "Database", count: "Callable[[Database], Coroutine[Any, Any, dict[str, Counts]]]"
) -> "tuple[str | None, list[str], dict[str, Counts]]":
    codec = db.codec
    known = [] if codec is None else [codec.first, *sorted(codec.known - {codec.first})]
    return known[0] if known else None, known, await count(db)


async def _rotated(db: "Database", output: Output, *, accept_plain: bool) -> int:
    from kubemin.store import resealing, sealing_keys

    if db.codec is None:
        raise CliError(
            tr("there is no key to seal with: set KUBEMIN_ENCRYPTION_KEYS, or see `kubemin key generate`"), Exit.USAGE
        )
    await sealing_keys.begin(db)
    if accept_plain:
        db.sealing.only = False
    total = told = 0
    before = resealing.Progress()
    async for one in resealing.rotate(db):
        total += one.sealed - (before.sealed if one.seen > before.seen else 0)
        before = one
        if output.is_chatty and total >= told + _EACH:
            told = total
            say(trn("{count} value was sealed anew", "{count} values were sealed anew", total))
    return total


def _state(key_id: str, first: str | None, known: list[str]) -> str:
    if key_id == first:
        return "seals"
    return "opens" if key_id in known else "missing"


def _said(state: str) -> str:
    return {"seals": tr("seals and opens"), "opens": tr("opens")}.get(state, tr("missing"))


def _with_database(settings: "Settings", work: "Callable[[Database], Coroutine[Any, Any, T]]") -> T:
    from kubemin.cli.loop import run_in_loop
    from kubemin.cli.sealing import sealer_of
    from kubemin.store import Database, StoreError

    async def run() -> T:
        db = await Database.open(settings.database_url, codec=sealer_of(settings))
        try:
            await db.check_schema()
            return await work(db)
        finally:
            await db.aclose()

    try:
        return run_in_loop(run())
    except StoreError as error:
        raise CliError(str(error)) from error

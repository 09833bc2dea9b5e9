"""``kubemin token …``: API tokens, through the server or, for the first one, in its database."""

from typing import TYPE_CHECKING, Any

from kubemin.cli.connection import Connection
from kubemin.cli.exits import CliError, Exit
from kubemin.cli.language import because, key, tr
from kubemin.cli.output import Output, moment, say

if TYPE_CHECKING:
    from kubemin.client.replies import ApiToken, Grant
    from kubemin.settings import Settings

NEVER = "never"
_MAX_DAYS = 3650


def days_of(text: str) -> int | None:
    """The days that ``90d`` or ``90`` mean; None for ``never``. Raises :class:`CliError`."""
    if text == NEVER:
        return None
    number = text.removesuffix("d")
    if not number.isdecimal() or not 1 <= int(number) <= _MAX_DAYS:
        message = tr("--expires takes days from 1 to {most}, such as 90d, or never", most=_MAX_DAYS)
        raise CliError(message, Exit.USAGE)
    return int(number)


def create(name: str, owner: str | None, grant: dict[str, Any], days: int | None, to: Connection) -> None:
    """Make one through the server, and print it."""
    with to.client() as client:
        made = client.create_token(name, [grant], owner=owner, expires_in_days=days)
    _show(made["token"], {**made}, to.output)


def create_in_database(
    name: str, owner: str | None, grant: dict[str, Any], days: int | None, settings: "Settings", output: Output
) -> None:
    """Make one in the database itself, as long as nobody can ask the server for it. Raises :class:`CliError`."""
    from kubemin.cli.loop import run_in_loop
    from kubemin.store import StoreError

    try:
        text, made = run_in_loop(_make(name, owner, grant, days, settings.database_url))
    except StoreError as error:
        raise CliError(str(error)) from error
    _show(text, made, output)


async def _make(
    name: str, owner: str | None, grant: dict[str, Any], days: int | None, url: str
) -> tuple[str, dict[str, Any]]:
    from pydantic import ValidationError

    from kubemin.identity.errors import Reserved
    from kubemin.identity.grants import GrantBody
    from kubemin.identity.tokens import make_token
    from kubemin.store import Database

    try:
        granted = GrantBody.model_validate(grant).grant
    except ValidationError as error:
        raise CliError(error.errors(include_input=False, include_url=False)[0]["msg"], Exit.USAGE) from error
    seconds = None if days is None else days * 24 * 3600.0
    db = await Database.open(url)
    try:
        if url.startswith("sqlite"):
            await db.migrate()
        else:
            await db.check_schema()
        text, row = await make_token(db, name, owner or "admin", [granted], seconds=seconds, made_by="database")
    except Reserved as error:
        raise CliError(because("--owner", error), Exit.USAGE) from error
    finally:
        await db.aclose()
    return text, {"id": row.id, "name": row.name, "owner": row.owner, "grants": row.grants, "token": text}


def _show(text: str, made: dict[str, Any], output: Output) -> None:
    if output.printed(made, [text]):
        return
    say(text)
    output.tell(tr("this is token {id}, and it is shown only now; whoever has it is {owner}", **_named(made)))


def _named(made: dict[str, Any]) -> dict[str, str]:
    return {"id": made["id"], "owner": made["owner"]}


def show(to: Connection) -> None:
    """List them."""
    with to.client() as client:
        found = client.tokens()
    if to.output.printed(found, [one["id"] for one in found["tokens"]]):
        return
    columns = (
        key("id"),
        key("name"),
        key("owner"),
        key("state"),
        key("grants"),
        key("expires"),
        key("last used"),
        key("created"),
        key("made by"),
    )
    rows = [_row(one) for one in found["tokens"]]
    to.output.table(columns, rows, key("no tokens"), wide=("created", "made by"))


def _row(one: "ApiToken") -> tuple[str, ...]:
    return (
        one["id"],
        one["name"],
        one["owner"],
        one["state"],
        "; ".join(granted(grant) for grant in one["grants"]),
        moment(one.get("expires")) if one.get("expires") else tr("never"),
        moment(one.get("usedTime")),
        moment(one["createTime"]),
        one["madeBy"],
    )


def granted(grant: "Grant") -> str:
    """The role, and what it is limited to."""
    limits = {
        "cluster": grant["clusters"],
        "ns": grant["namespaces"],
        "project": grant["projects"],
        "app": grant["applications"],
    }
    said = [f"{name}={','.join(values)}" for name, values in limits.items() if values != ["*"]]
    return " ".join([grant["role"], *said])


def revoke(token_id: str, to: Connection) -> None:
    """End one."""
    with to.client() as client:
        found = client.revoke_token(token_id)
    if not to.output.printed(found, [found["id"]]):
        to.output.tell(tr("token {id} is revoked: it is refused within seconds", id=found["id"]))

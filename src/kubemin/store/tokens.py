"""API tokens. Of each only a digest is stored: nobody can read a token back."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, and_, bindparam, not_, or_, select, update
from sqlalchemy import insert as sql_insert

from kubemin.store.clock import after, ago, now, past
from kubemin.store.tables import tokens
from kubemin.store.transaction import Tx, chunks, dump, fields, load, values_of


@dataclass(frozen=True, slots=True, kw_only=True)
class NewToken:
    """A token to insert. ``owner`` is who acts with it; ``seconds``: how long it is valid, None for ever."""

    id: str
    name: str
    owner: str
    hash: str
    grants: Any
    made_by: str
    seconds: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRow:
    """A token as stored. ``valid``: it was neither revoked nor expired when it was read."""

    id: str
    name: str
    owner: str
    hash: str
    grants: Any
    made_by: str
    created_at: datetime
    expires_at: datetime | None
    used_at: datetime | None
    revoked_at: datetime | None
    revoked_by: str | None
    valid: bool


VALID = and_(tokens.c.revoked_at.is_(None), not_(past(tokens.c.expires_at)))
"""Neither revoked nor expired."""
_ALL = select(tokens, VALID.label("valid"))
_BY_ID = _ALL.where(tokens.c.id == bindparam("of_id"))
_INSERT = sql_insert(tokens).values(created_at=now())
_USED = (
    update(tokens)
    .where(
        tokens.c.id == bindparam("of_id"),
        or_(tokens.c.used_at.is_(None), tokens.c.used_at < ago(bindparam("seconds"))),
    )
    .values(used_at=now())
)


async def insert(tx: Tx, new: NewToken) -> TokenRow:
    """Store it. Raises `Duplicate` (``pk_tokens``)."""
    values = {**values_of(new, "grants", "seconds"), "grants": dump(new.grants)}
    if new.seconds is None:
        await tx.write(_INSERT, values)
    else:
        await tx.write(sql_insert(tokens).values(**values, created_at=now(), expires_at=after(new.seconds)))
    made = await get(tx, new.id)
    assert made is not None
    return made


async def get(tx: Tx, token_id: str) -> TokenRow | None:
    """The token with this id, valid or not."""
    row = await tx.row(_BY_ID, {"of_id": token_id})
    return None if row is None else _token(row)


async def page(tx: Tx, owner: str | None = None) -> list[TokenRow]:
    """All tokens, or those of an owner; the newest first."""
    statement = _ALL.order_by(tokens.c.created_at.desc(), tokens.c.id)
    if owner is not None:
        statement = statement.where(tokens.c.owner == owner)
    return [_token(row) for row in await tx.rows(statement)]


async def revoke(tx: Tx, token_id: str, user: str) -> bool:
    """End it now. False if it is revoked already, or not there."""
    open_one = (tokens.c.id == token_id, tokens.c.revoked_at.is_(None))
    return await tx.write(update(tokens).where(*open_one).values(revoked_at=now(), revoked_by=user)) == 1


async def mark_used(tx: Tx, token_id: str, seconds: float) -> None:
    """Remember that it was used just now, unless that was so within the last ``seconds``."""
    await tx.write(_USED, {"of_id": token_id, "seconds": seconds})


async def valid_ones(tx: Tx, ids: Collection[str]) -> set[str]:
    """Those of these tokens that are valid now."""
    found: set[str] = set()
    for part in chunks(ids):
        found |= {row.id for row in await tx.rows(select(tokens.c.id).where(tokens.c.id.in_(part), VALID))}
    return found


def _token(row: Row[Any]) -> TokenRow:
    return TokenRow(**{**fields(row), "grants": load(row.grants), "valid": bool(row.valid)})

"""Sessions of browsers: every server of the database knows them. Of a session's secret only a digest is stored."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, and_, bindparam, delete, not_, or_, select, update
from sqlalchemy import insert as sql_insert

from kubemin.store.clock import after, ago, now, past
from kubemin.store.tables import sessions, tokens
from kubemin.store.tokens import VALID
from kubemin.store.transaction import Tx, chunks, dump, load


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSession:
    """A session to insert. It is of a token, or of a person of these groups.

    ``subject`` and ``sid``: digests of what the issuer calls the person, and its own session of them.
    """

    hash: str
    name: str
    groups: Sequence[str] = ()
    token_id: str | None = None
    subject: str | None = None
    sid: str | None = None
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRow:
    """A session that is open. ``grants`` are its token's, None where it is of none."""

    hash: str
    name: str
    groups: Sequence[str]
    token_id: str | None
    grants: Any
    created_at: datetime
    used_at: datetime
    expires_at: datetime


_JOINED = sessions.outerjoin(tokens, tokens.c.id == sessions.c.token_id)
_OPEN = and_(
    not_(past(sessions.c.expires_at)),
    sessions.c.used_at > ago(bindparam("idle")),
    or_(sessions.c.token_id.is_(None), VALID),
)
"""Neither over nor unused for ``idle`` seconds, and its token is valid."""
_BY_HASH = select(sessions, tokens.c.grants).select_from(_JOINED).where(sessions.c.hash == bindparam("of_hash"), _OPEN)
_USED = (
    update(sessions)
    .where(sessions.c.hash == bindparam("of_hash"), sessions.c.used_at < ago(bindparam("seconds")))
    .values(used_at=now())
)


async def insert(tx: Tx, new: NewSession) -> None:
    """Store it, and forget those that are over."""
    await tx.write(delete(sessions).where(past(sessions.c.expires_at)))
    await tx.write(
        sql_insert(sessions).values(
            hash=new.hash,
            name=new.name,
            groups=dump(list(new.groups)),
            token_id=new.token_id,
            subject=new.subject,
            sid=new.sid,
            created_at=now(),
            used_at=now(),
            expires_at=after(new.seconds),
        )
    )


async def get(tx: Tx, digest: str, idle: float) -> SessionRow | None:
    """The open session of this digest."""
    row = await tx.row(_BY_HASH, {"of_hash": digest, "idle": idle})
    return None if row is None else _session(row)


async def mark_used(tx: Tx, digest: str, seconds: float) -> None:
    """Remember that it was used just now, unless that was so within the last ``seconds``."""
    await tx.write(_USED, {"of_hash": digest, "seconds": seconds})


async def is_of_issuer(tx: Tx, digest: str) -> bool:
    """Whether there is such a session, open or not, and it was begun at the issuer."""
    asked = select(sessions.c.subject).where(sessions.c.hash == digest, sessions.c.subject.is_not(None))
    return await tx.row(asked) is not None


async def end(tx: Tx, digest: str) -> bool:
    """Forget the session. False if there is none."""
    return await tx.write(delete(sessions).where(sessions.c.hash == digest)) == 1


async def end_all(tx: Tx, name: str) -> int:
    """Forget all sessions of somebody; how many there were."""
    return await tx.write(delete(sessions).where(sessions.c.name == name))


async def end_of_issuer(tx: Tx, subject: str | None, sid: str | None) -> list[str]:
    """Forget the sessions that belong to one of the issuer's, or, without ``sid``, to all of a person; their digests.

    With both also the person's sessions of which it is not known to which of the issuer's they belong.
    """
    if sid is None:
        chosen = sessions.c.subject == subject
    else:
        chosen = sessions.c.sid == sid
        if subject is not None:
            same = sessions.c.subject == subject
            chosen = and_(same, or_(chosen, sessions.c.sid.is_(None)))
    ended = [row.hash for row in await tx.rows(select(sessions.c.hash).where(chosen))]
    for part in chunks(ended):
        await tx.write(delete(sessions).where(sessions.c.hash.in_(part)))
    return ended


async def open_ones(tx: Tx, digests: Collection[str], idle: float) -> set[str]:
    """Those of these sessions that are open now."""
    found: set[str] = set()
    for part in chunks(digests):
        statement = select(sessions.c.hash).select_from(_JOINED).where(sessions.c.hash.in_(part), _OPEN)
        found |= {row.hash for row in await tx.rows(statement, {"idle": idle})}
    return found


def _session(row: Row[Any]) -> SessionRow:
    return SessionRow(
        hash=row.hash,
        name=row.name,
        groups=tuple(load(row.groups)),
        token_id=row.token_id,
        grants=None if row.grants is None else load(row.grants),
        created_at=row.created_at,
        used_at=row.used_at,
        expires_at=row.expires_at,
    )

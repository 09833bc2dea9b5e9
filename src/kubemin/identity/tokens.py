"""Making API tokens."""

from collections.abc import Sequence

from kubemin.identity.errors import Reserved
from kubemin.identity.grants import Grant
from kubemin.identity.names import is_reserved
from kubemin.identity.token_text import new_token
from kubemin.store import Database, tokens
from kubemin.store.tokens import NewToken, TokenRow


async def make_token(
    db: Database, name: str, owner: str, grants: Sequence[Grant], *, seconds: float | None, made_by: str
) -> tuple[str, TokenRow]:
    """Store a new token; returns its text, which nobody can read again, and what is stored.

    ``owner`` is who acts with it, ``name`` says what it is for; it is valid for ``seconds``, None is for ever. Raises
    `Reserved` for an owner that nobody is.
    """
    if is_reserved(owner):
        raise Reserved(f"{owner[:100]} is reserved: name somebody else who acts with the token.")
    token = new_token()
    new = NewToken(
        id=token.id,
        name=name,
        owner=owner,
        hash=token.digest,
        grants=[one.to_json() for one in grants],
        made_by=made_by,
        seconds=seconds,
    )
    async with db.begin("token") as tx:
        return token.text, await tokens.insert(tx, new)

"""API tokens, as callers of a server have them."""

from kubemin.identity.grants import Grant, Role
from kubemin.identity.tokens import make_token
from kubemin.store import Database


async def caller(db: Database, name: str, role: Role = Role.DEPLOYER) -> str:
    """A token of somebody of this name, for everything."""
    text, _ = await make_token(db, f"bench of {name}", name, [Grant(role)], seconds=None, made_by="bench")
    return text

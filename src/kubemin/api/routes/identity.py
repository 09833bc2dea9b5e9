"""Who asks, API tokens, and the ways to log in."""

from typing import Annotated

from fastapi import APIRouter, Path, Query

from kubemin.api.access import About, Asked, needs
from kubemin.api.authentication import CSRF_HEADER
from kubemin.api.body import StrictRoute
from kubemin.api.codes import ApiCode
from kubemin.api.deps import Caller, Deps, Given
from kubemin.api.envelope import ApiError, Envelope, FieldError
from kubemin.api.models.identity import (
    ActingAs,
    EndedSessions,
    GrantReply,
    IssuerWay,
    NewTokenBody,
    NewTokenReply,
    TokenList,
    TokenReply,
    Ways,
    Whoami,
)
from kubemin.api.openapi import errors
from kubemin.api.parameters import TEXT
from kubemin.engine.entry.cluster_services import ClusterServices
from kubemin.identity.errors import Reserved
from kubemin.identity.grants import Role
from kubemin.identity.principal import Principal
from kubemin.identity.tokens import make_token
from kubemin.spec.acting import Asker, CannotActAs
from kubemin.store import tokens

router = APIRouter(tags=["Identity"], route_class=StrictRoute)
ways_in = APIRouter(tags=["Identity"], route_class=StrictRoute)

_DAY = 24 * 3600.0


@router.get("/whoami", summary="Who am I?")
@needs(About.ANYBODY)
async def whoami(deps: Given, asked: Asked) -> Envelope[Whoami]:
    """Whoever asks, by which way, what they may, and as whom it is done."""
    return Envelope(data=whoami_of(asked.principal, deps))


def whoami_of(one: Principal, deps: Deps) -> Whoami:
    """Somebody on the wire."""
    clusters = [name for name in sorted(deps.clusters) if one.allows_some_of(Role.VIEWER, name)]
    return Whoami(
        name=one.name,
        how=one.how,
        roles=[role for role in Role if one.has(role)],
        grants=[GrantReply.of(grant) for grant in one.grants],
        groups=list(one.groups),
        expires=one.expires_at,
        acting_as=[acting for name in clusters if (acting := _acting_as(deps.clusters[name], one)) is not None],
    )


def _acting_as(cluster: ClusterServices, one: Principal) -> ActingAs | None:
    try:
        identity = cluster.identity(Asker(one.name, one.groups))
    except CannotActAs as error:
        return ActingAs(cluster=cluster.name, refused=str(error))
    if identity is None:
        return None
    return ActingAs(cluster=cluster.name, user=identity.user, groups=list(identity.groups))


@router.get("/tokens", summary="List API tokens")
@needs(About.ANYBODY)
async def list_tokens(deps: Given, asked: Asked) -> Envelope[TokenList]:
    """All of them for an admin of everything, else the caller's own. Nothing of their text is in it."""
    owner = None if asked.principal.allows_all(Role.ADMIN) else asked.principal.name
    async with deps.db.read() as tx:
        found = await tokens.page(tx, owner)
    return Envelope(data=TokenList(tokens=[TokenReply.of(one) for one in found]))


@router.post("/tokens", summary="Make an API token")
@needs(About.EVERYTHING, Role.ADMIN)
async def create_token(deps: Given, caller: Caller, body: NewTokenBody) -> Envelope[NewTokenReply]:
    """The reply has its text, which is stored nowhere. Whoever acts with it is who `owner` says, also if that is one of
    the issuer's people.
    """
    seconds = None if body.expires_in_days is None else body.expires_in_days * _DAY
    grants = [one.grant for one in body.grants]
    try:
        made = await make_token(deps.db, body.name, body.owner or caller, grants, seconds=seconds, made_by=caller)
    except Reserved as error:
        wrong = FieldError(field="owner", code="RESERVED", message=str(error))
        raise ApiError(400, ApiCode.VALIDATION, str(error), errors=[wrong]) from error
    return Envelope(data=NewTokenReply.made(*made))


@router.delete("/tokens/{token_id}", summary="Revoke an API token", responses=errors(404))
@needs(About.ANYBODY)
async def revoke_token(
    deps: Given,
    asked: Asked,
    token_id: Annotated[str, Path(max_length=64, pattern="^[a-z0-9]+$", description="Its id, as the list has it.")],
) -> Envelope[TokenReply]:
    """It is refused within seconds, and its event streams end. One's own, or, for an admin of everything, any. Again is
    the same answer.
    """
    one = asked.principal
    async with deps.db.begin("revoke") as tx:
        found = await tokens.get(tx, token_id)
        if found is None or not (found.owner == one.name or one.allows_all(Role.ADMIN)):
            raise ApiError(404, ApiCode.NOT_FOUND, f"There is no token {token_id!r}.")
        await tokens.revoke(tx, token_id, one.name)
        found = await tokens.get(tx, token_id) or found
    if deps.authenticator is not None:
        deps.authenticator.forget(token_id)
    return Envelope(data=TokenReply.of(found))


@router.delete("/sessions", summary="End somebody's sessions")
@needs(About.ANYBODY)
async def end_sessions(
    deps: Given,
    asked: Asked,
    name: Annotated[str | None, Query(max_length=255, pattern=TEXT, description="Whose; without it one's own.")] = None,
) -> Envelope[EndedSessions]:
    """Ends all sessions of browsers, on every server; those of another are an admin's of everything."""
    one = asked.principal
    whose = name or one.name
    if whose != one.name and not one.allows_all(Role.ADMIN):
        message = "name names another than you: to end their sessions needs the role admin for everything."
        wrong = FieldError(field="name", code="NOT_YOURS", message=message)
        raise ApiError(403, ApiCode.FORBIDDEN, message, errors=[wrong])
    ended = 0 if deps.authenticator is None else await deps.authenticator.end_sessions(whose)
    return Envelope(data=EndedSessions(name=whose, ended=ended))


@ways_in.get("/auth/ways", summary="How can I say who I am?")
@needs(About.OPEN)
async def ways(deps: Given) -> Envelope[Ways]:
    """What a client has to know before it logs in."""
    identity = deps.identity
    required = deps.authenticator is not None
    oidc = None
    if identity.oidc_issuer is not None:
        oidc = IssuerWay(
            issuer=identity.oidc_issuer,
            client_id=identity.oidc_cli_client_id or identity.oidc_client_id,
            scopes=identity.oidc_scopes,
            login=None if deps.code_flow is None else "/auth/login",
        )
    return Envelope(data=Ways(required=required, tokens=required, oidc=oidc, csrf_header=CSRF_HEADER))

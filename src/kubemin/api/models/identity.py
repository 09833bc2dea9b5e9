"""Who asks, tokens, and ways to log in, on the wire."""

from typing import Annotated, Literal, Self

from pydantic import Field

from kubemin.api.models.base import Absent, Body, Line, Name, Reply, Timestamp
from kubemin.identity.grants import Grant, GrantBody, Role
from kubemin.identity.principal import How
from kubemin.store.tokens import TokenRow

MAX_DAYS = 3650
DEFAULT_DAYS = 90


class GrantReply(Reply):
    """A role, and the applications for which it is: exact names, or `*` for any."""

    role: Role
    clusters: list[str]
    namespaces: list[str]
    projects: list[str]
    applications: list[str]

    @classmethod
    def of(cls, grant: Grant) -> Self:
        """The grant on the wire."""
        return cls.model_validate(grant.to_json())


class ActingAs(Reply):
    """As whom it is done in a cluster what somebody asks for."""

    cluster: str
    user: Absent[str] = None
    groups: list[str] = Field(default_factory=list, description="Those that the cluster is told of.")
    refused: Absent[str] = Field(default=None, description="Why nobody can be acted as; then nothing is done.")


class Whoami(Reply):
    """Whoever asks."""

    name: str
    how: How = Field(description="`none`: nobody has to say who they are.")
    roles: list[Role] = Field(description="Those that they have for something.")
    grants: list[GrantReply]
    groups: list[str] = Field(description="Those that their issuer says.")
    expires: Absent[Timestamp] = Field(default=None, description="When the token or the session ends.")
    acting_as: list[ActingAs] = Field(
        default_factory=list,
        description="As whom clusters are asked for them, where that is not KubeMin itself (`KUBEMIN_IMPERSONATION`).",
    )


class NewTokenBody(Body):
    """A token to make."""

    name: Name = Field(description="What it is for.", examples=["GitHub Actions of shop"])
    owner: Annotated[Line, Field(min_length=1, max_length=255)] | None = Field(
        None, description="Who acts with it: the `user` of what is done. Without it, the caller."
    )
    grants: list[GrantBody] = Field(min_length=1, max_length=100)
    expires_in_days: Annotated[int, Field(ge=1, le=MAX_DAYS)] | None = Field(
        DEFAULT_DAYS, description="How long it is valid; null: until it is revoked."
    )


class TokenReply(Reply):
    """A token. Of its text nothing is kept."""

    id: str
    name: str
    owner: str
    grants: list[GrantReply]
    state: Literal["valid", "expired", "revoked"]
    made_by: str
    create_time: Timestamp
    expires: Absent[Timestamp] = None
    used_time: Absent[Timestamp] = Field(default=None, description="When it was used last, to a minute.")
    revoke_time: Absent[Timestamp] = None
    revoked_by: Absent[str] = None

    @classmethod
    def of(cls, row: TokenRow) -> Self:
        """The token on the wire."""
        return cls.model_validate(_values(row))


class NewTokenReply(TokenReply):
    """A token, and its text."""

    token: str = Field(description="The token itself. It is shown here and never again.")

    @classmethod
    def made(cls, text: str, row: TokenRow) -> Self:
        """The new token on the wire."""
        return cls.model_validate({**_values(row), "token": text})


def _values(row: TokenRow) -> dict[str, object]:
    return {
        "id": row.id,
        "name": row.name,
        "owner": row.owner,
        "grants": row.grants,
        "state": "revoked" if row.revoked_at else "valid" if row.valid else "expired",
        "made_by": row.made_by,
        "create_time": row.created_at,
        "expires": row.expires_at,
        "used_time": row.used_at,
        "revoke_time": row.revoked_at,
        "revoked_by": row.revoked_by,
    }


class TokenList(Reply):
    """Tokens, the newest first."""

    tokens: list[TokenReply]


class IssuerWay(Reply):
    """A login by an issuer of OpenID Connect."""

    issuer: str
    client_id: str = Field(description="Under which programs without a secret log in, such as the command line.")
    scopes: str
    login: Absent[str] = Field(default=None, description="Where a browser begins; absent where there is no public URL.")


class Ways(Reply):
    """How one may say who one is."""

    required: bool = Field(description="Whether one has to.")
    tokens: bool = Field(description="By an API token.")
    oidc: Absent[IssuerWay] = None
    csrf_header: str = Field(description="Sent by a page, with any value, with each change that a session makes.")


class SessionBody(Body):
    """An API token, for a session of a browser."""

    token: str = Field(min_length=1, max_length=4096)


class EndedSessions(Reply):
    """Sessions that were ended."""

    name: str
    ended: int


class LoggedOut(Reply):
    """There is no session any more."""

    ended: bool
    issuer: Absent[str] = Field(
        default=None,
        description="Where the browser has to go to log out at the issuer too; absent where it did not log in there.",
    )

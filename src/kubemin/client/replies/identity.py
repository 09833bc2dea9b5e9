"""Who asks, and API tokens."""

from typing import Literal, NotRequired, TypedDict

RoleName = Literal["viewer", "deployer", "admin"]


class Grant(TypedDict):
    """A role, and the applications for which it is: exact names, or ``*`` for any."""

    role: RoleName
    clusters: list[str]
    namespaces: list[str]
    projects: list[str]
    applications: list[str]


class ActingAs(TypedDict):
    """As whom it is done in a cluster what somebody asks for."""

    cluster: str
    user: NotRequired[str]
    groups: list[str]
    refused: NotRequired[str]
    """Why nobody can be acted as, where so: then nothing is done."""


class Whoami(TypedDict):
    """Whoever asks."""

    name: str
    how: Literal["none", "token", "oidc", "session"]
    """``none``: nobody has to say who they are."""
    roles: list[RoleName]
    """Those that they have for something."""
    grants: list[Grant]
    groups: list[str]
    expires: NotRequired[str]
    actingAs: list[ActingAs]
    """In clusters that are asked for them as somebody else than KubeMin itself."""


class ApiToken(TypedDict):
    """A token, without its text."""

    id: str
    name: str
    owner: str
    """Who acts with it."""
    grants: list[Grant]
    state: Literal["valid", "expired", "revoked"]
    madeBy: str
    createTime: str
    expires: NotRequired[str]
    usedTime: NotRequired[str]
    """When it was used last, to a minute."""
    revokeTime: NotRequired[str]
    revokedBy: NotRequired[str]


class NewToken(ApiToken):
    """A token, and its text, which is never shown again."""

    token: str


class TokenPage(TypedDict):
    """Tokens, the newest first."""

    tokens: list[ApiToken]


class EndedSessions(TypedDict):
    """Sessions that were ended."""

    name: str
    ended: int


class IssuerWay(TypedDict):
    """A login by an issuer of OpenID Connect."""

    issuer: str
    clientId: str
    scopes: str
    login: NotRequired[str]
    """Where a browser begins."""


class Ways(TypedDict):
    """How one may say who one is."""

    required: bool
    tokens: bool
    oidc: NotRequired[IssuerWay]
    csrfHeader: str
    """Sent by a page with each change that a session makes."""

"""What a server can be told about who may ask it."""

from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import AfterValidator, ConfigDict, Field, SecretStr

from kubemin.settings.public import PublicSettings, safe_address
from kubemin.settings.texts import text_of

if TYPE_CHECKING:
    from kubemin.identity.claims import IssuerGrants


def _grants_text(given: str) -> str:
    """The grants as text, those of a file read. `ValueError` says what is wrong with them."""
    text = text_of(given)
    _grants(text)
    return text


@lru_cache(maxsize=4)
def _grants(text: str) -> "IssuerGrants":
    from kubemin.identity.claims import IssuerGrants

    return IssuerGrants.read(text)


_MOST_PREFIX = 64

Algorithm = Literal["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]


def _algorithms(text: str) -> str:
    from typing import get_args

    for one in _names(text):
        if one not in get_args(Algorithm):
            raise ValueError(f"{one!r} is not one of {', '.join(get_args(Algorithm))}")
    if not _names(text):
        raise ValueError("at least one algorithm is needed")
    return text


def _prefix(text: str) -> str:
    if text and (len(text) > _MOST_PREFIX or not text.isprintable() or text[-1].isalnum()):
        raise ValueError(f"it ends with a mark such as `:` or `#`, and has at most {_MOST_PREFIX} characters")
    if text.casefold().startswith("system:"):
        raise ValueError("names that begin with system: are Kubernetes' own")
    return text


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


class IdentitySettings(PublicSettings):
    """Handed on whole. Times are seconds."""

    model_config = ConfigDict(frozen=True)

    auth: Literal["none", "token"] = "none"
    """`token`: whoever asks must say who they are, by an API token or, with `KUBEMIN_OIDC_ISSUER`, by that issuer.
    `none`: nobody has to, and the server listens on loopback addresses only. With an issuer it is `token`.
    """
    tls_certificate: str | None = None
    """File with the server's certificate and its chain (PEM): it then speaks HTTPS only. Needs `KUBEMIN_TLS_KEY`."""
    tls_key: str | None = None
    """File with the key of the certificate (PEM)."""
    oidc_issuer: Annotated[str | None, AfterValidator(safe_address)] = None
    """An OpenID Connect issuer whose people and machines may ask: `https://login.example/realms/main`."""
    oidc_client_id: str = ""
    """Under which the page and the command line log in at the issuer."""
    oidc_client_secret: SecretStr | None = None
    """Of that client, where the issuer gave it one."""
    oidc_cli_client_id: str = ""
    """Under which the command line logs in instead, without a secret: where `KUBEMIN_OIDC_CLIENT_ID` has one."""
    oidc_audience: str = ""
    """Audiences, separated by commas, one of which a token must be for; without it the client ids."""
    oidc_scopes: str = "openid profile email groups"
    """What a login of the page asks the issuer for."""
    oidc_name_claim: str = "sub"
    """Claim with a caller's name. The issuer must not give one name to two."""
    oidc_name_prefix: Annotated[str, AfterValidator(_prefix)] = "oidc:"
    """What all names of the issuer's people begin with, so that none of them is that of an API token's owner. Empty:
    theirs are as the issuer gives them; then whoever gets a name there is whoever has it here.
    """
    oidc_groups_claim: str = "groups"
    """Claim with a caller's groups."""
    oidc_grants: Annotated[str, AfterValidator(_grants_text)] = ""
    """What groups and people of the issuer may: a list as YAML or JSON, or the path of a file with one. Whoever is in
    none of it may nothing.
    """
    oidc_algorithms: Annotated[str, AfterValidator(_algorithms)] = "RS256,ES256,EdDSA"
    """Algorithms, separated by commas, by which the issuer may sign."""
    oidc_clock_skew_seconds: float = Field(default=30, ge=0, le=300)
    """By how much the issuer's clock may differ from this machine's."""
    session_seconds: float = Field(default=12 * 3600, gt=0)
    """After this time a browser has to log in again."""
    session_idle_seconds: float = Field(default=2 * 3600, gt=0)
    """And after this time without a request."""
    caller_rate: float = Field(default=50, gt=0)
    """Requests a second of one caller to one process, in the long run; one too many gets a 429. Cancels always pass."""
    caller_burst: int = Field(default=200, ge=1)
    """And so many at once."""
    failed_logins: int = Field(default=10, ge=1)
    """Credentials a minute that one address may give to one process and that are wrong; then it gets a 429. Ten times
    as many logins that begin, and sessions that are over.
    """

    @property
    def authenticates(self) -> bool:
        """Whether callers have to say who they are."""
        return self.auth != "none" or self.oidc_issuer is not None

    @property
    def audiences(self) -> list[str]:
        """``oidc_audience``, one by one, or the client ids."""
        return _names(self.oidc_audience) or [one for one in (self.oidc_client_id, self.oidc_cli_client_id) if one]

    @property
    def algorithms(self) -> list[str]:
        """``oidc_algorithms``, one by one."""
        return _names(self.oidc_algorithms)

    def name_at_issuer(self, name: str) -> str | None:
        """What the issuer calls one of its people; None where nobody of it has this name, or not any more."""
        return name.removeprefix(self.oidc_name_prefix) if name.startswith(self.oidc_name_prefix) else None

    @property
    def issuer_grants(self) -> "IssuerGrants":
        """``oidc_grants``, read."""
        return _grants(self.oidc_grants)

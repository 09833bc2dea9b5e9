"""Whether what a caller asks for is done in the cluster as that caller."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict

Impersonation = Literal["off", "caller"]


def _system_names(text: str) -> str:
    if "system:masters" in (name.strip() for name in text.split(",")):
        raise ValueError("nobody is acted as a member of system:masters, to which nothing is refused")
    return text


class ImpersonationSettings(BaseModel):
    """For every cluster that does not say otherwise itself."""

    model_config = ConfigDict(frozen=True)

    impersonation: Impersonation = "off"
    """`caller`: what a run or a removal writes is sent to the cluster as whoever asked for it, so it does no more than
    they may there. Needs `KUBEMIN_AUTH` or an issuer, and in the cluster the right to impersonate.
    """
    impersonation_user_prefix: str = ""
    """Put before a caller's name to make the user of the cluster. Who comes from an issuer has
    `KUBEMIN_OIDC_NAME_PREFIX` already, so this tells the owners of API tokens from others.
    """
    impersonation_group_prefix: str = ""
    """Put before the groups of a caller."""
    impersonation_groups: str = "*"
    """Groups of callers, separated by commas, that the cluster is told of; `*` stands for anything."""
    impersonation_system_names: Annotated[str, AfterValidator(_system_names)] = ""
    """Users and groups that begin with `system:` and may be acted as, separated by commas, `*` for anything; without
    it none. Never the group `system:masters`.
    """

"""As whom Pods and their containers run, and what the node's kernel lets them do: Kubernetes' own fields.

What of it needs permission is in `kubemin.spec.pod_security`.
"""

from typing import Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from kubemin.spec.field_types import Natural
from kubemin.spec.model import Flag, SpecModel, Text


class SeLinuxOptions(SpecModel):
    """SELinux labels."""

    user: Text | None = Field(default=None, description="needs permission")
    role: Text | None = Field(default=None, description="needs permission")
    type: Text | None = Field(default=None, description="`container_t` and the like; others need permission")
    level: Text | None = Field(default=None, description="such as `s0:c123,c456`")


class _Profile(SpecModel):
    type: Literal["RuntimeDefault", "Localhost", "Unconfined"] = Field(description="`Unconfined` needs permission")
    localhost_profile: Text | None = Field(default=None, description="of `Localhost`: the file on the node")

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if (self.type == "Localhost") != (self.localhost_profile is not None):
            raise PydanticCustomError("profile", "needs a localhostProfile with type Localhost, and with no other")
        return self


class SeccompProfile(_Profile):
    """Which system calls are allowed."""


class AppArmorProfile(_Profile):
    """What AppArmor allows."""


class WindowsOptions(SpecModel):
    """Of Windows containers."""

    gmsa_credential_spec_name: Text | None = Field(default=None, description="GMSA account, by name")
    gmsa_credential_spec: Text | None = Field(default=None, description="GMSA account")
    run_as_user_name: Text | None = Field(default=None, description="user")
    host_process: Flag | None = Field(default=None, description="needs permission")


class _Context(SpecModel):
    run_as_user: Natural | None = Field(default=None, description="user id; default: the image's")
    run_as_group: Natural | None = Field(default=None, description="group id; default: the image's")
    run_as_non_root: Flag | None = Field(default=None, description="refuse to run as root")
    se_linux_options: SeLinuxOptions | None = Field(default=None, description="SELinux labels")
    seccomp_profile: SeccompProfile | None = Field(default=None, description="which system calls are allowed")
    app_armor_profile: AppArmorProfile | None = Field(default=None, description="what AppArmor allows")
    windows_options: WindowsOptions | None = Field(default=None, description="of Windows containers")


class Capabilities(SpecModel):
    """Rights of root, one by one, without ``CAP_``."""

    add: list[Text] | None = Field(default=None, description="more than the common ones need permission")
    drop: list[Text] | None = Field(default=None, description="such as `ALL`")


class SecurityContext(_Context):
    """Of a container; wins over the Pod's."""

    privileged: Flag | None = Field(default=None, description="needs permission")
    allow_privilege_escalation: Flag | None = Field(default=None, description="may get more rights than its parent")
    read_only_root_filesystem: Flag | None = Field(default=None, description="writes only to its volumes")
    capabilities: Capabilities | None = Field(default=None, description="rights of root")
    proc_mount: Literal["Default", "Unmasked"] | None = Field(default=None, description="`Unmasked` needs permission")

    @model_validator(mode="after")
    def _fits(self) -> Self:
        added = (self.capabilities and self.capabilities.add) or ()
        if self.allow_privilege_escalation is False and (self.privileged or {"SYS_ADMIN", "CAP_SYS_ADMIN"} & {*added}):
            message = "with allowPrivilegeEscalation: false can be neither privileged nor have SYS_ADMIN"
            raise PydanticCustomError("escalation", message)
        return self


class Sysctl(SpecModel):
    """A setting of the kernel, for the Pod alone."""

    name: Text = Field(description="such as `net.ipv4.tcp_syncookies`; others than the safe ones need permission")
    value: Text = Field(description="its value")


class PodSecurityContext(_Context):
    """Of a Pod: for all its containers."""

    fs_group: Natural | None = Field(default=None, description="group of the files in its volumes")
    fs_group_change_policy: Literal["Always", "OnRootMismatch"] | None = Field(
        default=None, description="when these files are given to that group"
    )
    supplemental_groups: list[Natural] | None = Field(default=None, description="further groups")
    supplemental_groups_policy: Literal["Merge", "Strict"] | None = Field(
        default=None, description="whether the groups of the image count"
    )
    se_linux_change_policy: Literal["MountOption", "Recursive"] | None = Field(
        default=None, description="how volumes get the SELinux label"
    )
    sysctls: list[Sysctl] | None = Field(default=None, description="settings of the kernel")

"""A new version of an application, as the web console asks for it."""

from typing import Any, Literal

from pydantic import Field

from kubemin.api.models.base import Body, Line, Reply
from kubemin.api.models.tasks import TASK_ID
from kubemin.spec.strategy import Strategy


class ComponentVersion(Body):
    """What becomes of one component. What is left out of an update stays as it is."""

    action: Literal["add", "update", "remove"] = "update"
    name: str = Field(min_length=1, max_length=255)
    type: str | None = Field(None, max_length=64, description="Of one that is added.")
    image: str | None = Field(None, max_length=1024)
    replicas: int | Literal["auto"] | None = None
    env: dict[str, str] | None = Field(None, description="Variables to add, or to change.")
    properties: dict[str, Any] | None = Field(None, description="Instead of all that there are.")
    traits: dict[str, Any] | None = Field(None, description="The same.")


class NewVersion(Body):
    """Changes of the draft, and whether it is run at once."""

    version: str | None = Field(None, max_length=255)
    strategy: Strategy | None = Field(None, description="That of the run; default: the components' own.")
    components: list[ComponentVersion] = Field([], max_length=1000)
    auto_exec: bool = True
    description: Line | None = Field(None, description="Why, for people: it stays with the revision.")


class Version(Reply):
    """What was changed, and the task that brings it."""

    app_id: str
    version: str
    previous_version: str
    strategy: str
    task_id: str = Field(description="Empty without `autoExec`.", examples=[TASK_ID])
    updated_components: list[str]
    added_components: list[str]
    removed_components: list[str]

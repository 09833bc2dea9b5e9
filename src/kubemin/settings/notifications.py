"""Whom a server tells what happens, and whether it looks for drift."""

from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator, ConfigDict, Field, SecretStr

from kubemin.settings.public import PublicSettings
from kubemin.settings.texts import text_of

if TYPE_CHECKING:
    from kubemin.notifications.targets import Target


def _targets_text(given: SecretStr) -> SecretStr:
    """The targets as text, those of a file read. `ValueError` says what is wrong with them, and repeats no value."""
    text = text_of(given.get_secret_value())
    if text.strip():
        from kubemin.notifications.targets import parse_targets

        parse_targets(text)
    return SecretStr(text)


class NotificationSettings(PublicSettings):
    """Handed on whole. Times are seconds."""

    model_config = ConfigDict(frozen=True)

    notifications: Annotated[SecretStr, AfterValidator(_targets_text)] = SecretStr("")
    """Whom to tell what happens: a list of targets as YAML or JSON, or the path of a file with one. Servers deliver;
    workers need it not.
    """
    drift_seconds: float = Field(default=0, ge=0)
    """How long a server waits after it has looked whether the cluster still is as the current revisions say; with 0
    it does not look.
    """

    @property
    def targets(self) -> "tuple[Target, ...]":
        """``notifications``, read."""
        text = self.notifications.get_secret_value()
        if not text.strip():
            return ()
        from kubemin.notifications.targets import parse_targets

        return parse_targets(text)

"""What the audit can be told."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from kubemin.spec.audit import MIN_KEY


def _long_enough(key: str) -> str:
    if key and len(key) < MIN_KEY:
        raise ValueError(f"a key has at least {MIN_KEY} characters")
    return key


class AuditSettings(BaseModel):
    """Handed on whole."""

    model_config = ConfigDict(frozen=True)

    audit_key: Annotated[str, AfterValidator(_long_enough), Field(repr=False)] = ""
    """Key of the audit's hashes, 32 characters or more: without it nobody who can write the database can forge the
    chain.
    """
    audit_keep_days: float = Field(default=0, ge=0)
    """How many days the rows of the audit are kept; 0 is for ever."""
    audit_wait_seconds: float = Field(default=0.5, ge=0)
    """How long the reply to a call that changes something waits at most until its row is stored; a cancel never does.
    """

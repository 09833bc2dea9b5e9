"""What the API can be told."""

from pydantic import BaseModel, ConfigDict, Field


class ApiSettings(BaseModel):
    """Handed on whole."""

    model_config = ConfigDict(frozen=True)

    allowed_hosts: str = ""
    """Names, separated by commas, by which the server may be asked, beside those of loopback addresses."""
    max_body_bytes: int = Field(default=4 * 1024 * 1024, ge=1024)

    @property
    def hosts(self) -> frozenset[str]:
        """``allowed_hosts``, one by one."""
        return frozenset(name.strip() for name in self.allowed_hosts.split(",") if name.strip())

"""What the API can be told."""

from pydantic import BaseModel, ConfigDict, Field


class ApiSettings(BaseModel):
    """Handed on whole. Times are seconds."""

    model_config = ConfigDict(frozen=True)

    allowed_hosts: str = ""
    """Names, separated by commas, by which the server may be asked, beside those of loopback addresses."""
    max_body_bytes: int = Field(default=4 * 1024 * 1024, ge=1024)
    max_connections: int = Field(default=1000, ge=1)
    max_event_streams: int = Field(default=500, ge=1)
    head_seconds: float = Field(default=10, gt=0)
    body_seconds: float = Field(default=60, gt=0)
    read_seconds: float = Field(default=60, gt=0)
    idle_seconds: int = Field(default=60, ge=1)
    write_probe_seconds: float = Field(default=5, ge=0)

    @property
    def hosts(self) -> frozenset[str]:
        """``allowed_hosts``, one by one."""
        return frozenset(name.strip() for name in self.allowed_hosts.split(",") if name.strip())

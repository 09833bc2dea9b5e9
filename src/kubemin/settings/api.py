"""What the API can be told."""

import re
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

_ORIGIN = re.compile(r"https?://[a-z0-9.-]+(:[0-9]{1,5})?|https?://\[[0-9a-f:.]+\](:[0-9]{1,5})?")


def _origins(text: str) -> str:
    """As browsers spell them, or `ValueError`. No ``*``: whoever is asked by every page is asked by foreign ones."""
    for one in _names(text):
        if not _ORIGIN.fullmatch(one) or one.endswith(":80" if one.startswith("http:") else ":443"):
            raise ValueError(f"{one!r} is no origin such as https://console.example or http://localhost:5173")
    return text


def _names(text: str) -> frozenset[str]:
    return frozenset(name.strip() for name in text.split(",") if name.strip())


class ApiSettings(BaseModel):
    """Handed on whole. Times are seconds."""

    model_config = ConfigDict(frozen=True)

    allowed_hosts: str = ""
    """Names, separated by commas, by which the server may be asked, beside those of loopback addresses."""
    allowed_origins: Annotated[str, AfterValidator(_origins)] = ""
    """Origins, separated by commas, whose pages may use the API from a browser."""
    console_dir: str | None = None
    """The files of a web console, to be served at ``/``."""
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
        return _names(self.allowed_hosts)

    @property
    def origins(self) -> frozenset[str]:
        """``allowed_origins``, one by one."""
        return _names(self.allowed_origins)

"""Where people reach the server."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict


def safe_address(text: str | None) -> str | None:
    """Without a slash at its end, or `ValueError`. Plain HTTP is for this machine alone."""
    from ipaddress import ip_address
    from urllib.parse import urlsplit

    from kubemin.spec.characters import has_unseen

    if text is None:
        return None
    parts = urlsplit(text)
    host = parts.hostname or ""
    try:
        local = host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        local = False
    odd = has_unseen(text) or any(mark in text for mark in " <>|\"'")  # it becomes a part of messages
    if not host or odd or parts.query or parts.fragment or parts.username is not None:
        raise ValueError("this is no address such as https://login.example")
    if parts.scheme != "https" and not (parts.scheme == "http" and local):
        raise ValueError("the address must begin with https://; http:// is for loopback addresses only")
    return text.rstrip("/")


class PublicSettings(BaseModel):
    """Of whoever sends people to the page."""

    model_config = ConfigDict(frozen=True)

    public_url: Annotated[str | None, AfterValidator(safe_address)] = None
    """Address under which browsers reach the server: `https://kubemin.example`. Links in messages lead there, and a
    login by an issuer needs it.
    """

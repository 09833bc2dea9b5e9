"""Which server a login is for, and where tokens may go."""

from urllib.parse import SplitResult, urlsplit

_PORTS = {"http": 80, "https": 443}


def origin_of(server: str) -> str | None:
    """The server's address as each spelling of it has it: scheme, host, port, and its path below them.

    None for what is none, or has a name and password in it.
    """
    parts = _split(server)
    if parts is None or parts.scheme not in _PORTS or parts.username is not None or parts.query or parts.fragment:
        return None
    host = parts.hostname or ""
    where = f"[{host}]" if ":" in host else host
    port = "" if parts.port in (None, _PORTS[parts.scheme]) else f":{parts.port}"
    return f"{parts.scheme}://{where}{port}{parts.path.rstrip('/')}"


def is_loopback(address: str) -> bool:
    """Whether it is one of this machine."""
    parts = _split(address)
    host = "" if parts is None else parts.hostname or ""
    if host == "localhost":
        return True
    from ipaddress import ip_address

    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def is_safe(address: str, *, plain: bool = True) -> bool:
    """Whether a secret may be sent there: HTTPS, or with ``plain`` also HTTP on this machine."""
    parts = _split(address)
    if parts is None or parts.username is not None or not address.isprintable() or " " in address:
        return False
    return parts.scheme == "https" or (plain and parts.scheme == "http" and is_loopback(address))


def _split(address: str) -> SplitResult | None:
    try:
        parts = urlsplit(address)
        _ = parts.port
    except ValueError:
        return None
    return parts if parts.hostname else None

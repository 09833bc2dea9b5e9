"""Names that nobody is given: by a name one is known in revisions, in the audit, and to a cluster. Pure."""

_RESERVED = frozenset({"system", "anonymous", "-"})
"""KubeMin itself, where nobody has to say who they are; nobody; and whoever is not known, in the audit."""
_OF_KUBERNETES = "system:"
"""Accounts and groups of Kubernetes itself begin so: a cluster may be told in whose name a run is."""


def is_reserved(name: str) -> bool:
    """Whether nobody may be called so."""
    plain = name.strip().casefold()
    return plain in _RESERVED or plain.startswith(_OF_KUBERNETES)

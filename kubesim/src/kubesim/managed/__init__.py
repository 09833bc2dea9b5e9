"""Field ownership: what ``metadata.managedFields`` says after an update, and server-side apply."""

from kubesim.managed.applying import apply
from kubesim.managed.tracking import settle_times, track_update

__all__ = ["apply", "settle_times", "track_update"]

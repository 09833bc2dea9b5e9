"""Field ownership: what ``metadata.managedFields`` says after an update, and server-side apply."""

from kubemin.sim.managed.applying import apply
from kubemin.sim.managed.tracking import settle_times, track_update

__all__ = ["apply", "settle_times", "track_update"]

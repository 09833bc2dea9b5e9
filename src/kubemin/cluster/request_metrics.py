"""What is counted of requests to the API server: how many there were, how they were answered, and what they took."""

from prometheus_client import CollectorRegistry, Counter, Histogram

from kubemin.cluster.errors import ClusterError
from kubemin.cluster.requests import Request

_VERBS = frozenset({"get", "list", "watch", "create", "apply", "replace", "patch", "delete"})
_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class RequestMetrics:
    """Counts the requests of a process. One of these serves all its connections."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._requests = Counter(
            "kubemin_kubernetes_requests",
            "Requests to the Kubernetes API, by verb and code: the status, or the error where no answer came."
            " A watch counts when it begins.",
            ("verb", "code"),
            registry=registry,
        )
        self._seconds = Histogram(
            "kubemin_kubernetes_request_duration_seconds",
            "Seconds until the Kubernetes API had answered a request in full, by verb; of a watch, until it began.",
            ("verb",),
            buckets=_BUCKETS,
            registry=registry,
        )
        # A child's lookup by its labels takes longer than counting: each is looked up once.
        self._counts: dict[tuple[str, str], Counter] = {}
        self._times: dict[str, Histogram] = {}

    def answered(self, request: Request, code: str, seconds: float) -> None:
        """Count a request. ``code``: see `code_of`."""
        verb = request.verb if request.verb in _VERBS else "other"
        count = self._counts.get((verb, code))
        if count is None:
            count = self._counts[verb, code] = self._requests.labels(verb, code)
            self._times.setdefault(verb, self._seconds.labels(verb))
        count.inc()
        self._times[verb].observe(seconds)


def code_of(error: BaseException) -> str:
    """What is counted as the code of a request that has failed: its status, or the name of the error."""
    if isinstance(error, ClusterError):
        return str(error.status) if error.status else type(error).__name__.lower()
    return "cancelled"

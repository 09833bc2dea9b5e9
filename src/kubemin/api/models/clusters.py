"""The clusters that a server knows, on the wire."""

from pydantic import Field

from kubemin.api.models.base import Reply


class ClusterWorker(Reply):
    """A worker that runs the tasks of a cluster."""

    worker: str
    away: str = Field(description="Why the cluster does not answer it; empty where it does.")


class ClusterReply(Reply):
    """A cluster, how it does, and what there is to do in it."""

    name: str = Field(examples=["default"])
    known: bool = Field(description="Whether this server knows it; one that it does not know has tasks or workers.")
    reachable: bool = Field(description="Whether it answers this server.")
    message: str = Field(description="Why it does not answer; empty where it does.")
    version: str = Field(description="That of its API server; empty where it does not answer.", examples=["v1.36.1"])
    workers: list[ClusterWorker] = Field(description="Those that run its tasks; without any, tasks wait.")
    waiting: int = Field(description="Tasks that no worker has begun.")
    running: int = Field(description="Tasks that a worker has begun and that have not ended.")
    cleanups: int = Field(description="Cleanups that are under way or incomplete.")


class ClusterList(Reply):
    """All of them, by name."""

    clusters: list[ClusterReply]

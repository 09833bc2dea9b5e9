"""The cluster's Service addresses and node ports."""

from collections.abc import Collection
from ipaddress import IPv4Network

__all__ = ["Addresses"]


class Addresses:
    """Gives out Service addresses and node ports, lowest free first. The registry keeps one and tells it what is freed."""

    def __init__(self, network: str = "10.96.0.0/16", ports: range = range(30000, 32768)) -> None:
        self._network = IPv4Network(network)
        self._first = int(self._network.network_address) + 10  # the lowest are left to kubernetes and its DNS
        self._ports = ports
        self._taken: set[str] = set()
        self._taken_ports: set[int] = set()
        self._next = self._first
        self._next_port = ports.start

    def take_ip(self, wanted: str | None = None) -> str | None:
        """Take this address, or a free one. None if it, or every one, is taken."""
        if wanted is None:
            last = int(self._network.broadcast_address)
            span = last - self._first
            for step in range(span):
                candidate = str(self._network[(self._next - self._first + step) % span + 10])
                if candidate not in self._taken:
                    self._next += step + 1
                    wanted = candidate
                    break
        if wanted is None or wanted in self._taken:
            return None
        self._taken.add(wanted)
        return wanted

    def take_port(self, wanted: int | None = None) -> int | None:
        """Take this node port, or a free one. None if it, or every one, is taken."""
        if wanted is None:
            wanted = next((port for port in self._ports if port not in self._taken_ports), None)
        if wanted is None or wanted in self._taken_ports:
            return None
        self._taken_ports.add(wanted)
        return wanted

    def free(self, ips: Collection[str], ports: Collection[int]) -> None:
        """Give addresses and ports back."""
        self._taken.difference_update(ips)
        self._taken_ports.difference_update(ports)

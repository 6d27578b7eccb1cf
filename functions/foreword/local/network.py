"""While a cloud is up nothing leaves the machine: a connection to anywhere but this host is an error.

Loopback and local sockets stay open, so that a test may drive a browser or talk to its own server.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from foreword.local.mends.patching import patched


class LeavingTheMachine(RuntimeError):
    """Code under the local cloud tried to reach another host."""


@contextmanager
def no_way_out() -> Iterator[None]:
    with (
        patched(socket.socket, "connect", _guarded(socket.socket.connect)),
        patched(socket.socket, "connect_ex", _guarded(socket.socket.connect_ex)),
    ):
        yield


def _guarded(original: Callable[..., Any]) -> Callable[..., Any]:
    def connect(self: socket.socket, address: Any) -> Any:
        if self.family in (socket.AF_INET, socket.AF_INET6) and not _is_here(str(address[0])):
            raise LeavingTheMachine(
                f"a connection to {address[0]}:{address[1]} was refused: the local cloud lets nothing out"
            )
        return original(self, address)

    return connect


def _is_here(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False

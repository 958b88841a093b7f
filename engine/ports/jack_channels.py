"""Which JACK ports are the channels of a device: its own ports, in their order, never the monitors of its outputs.

Knows names and flags only, and asks no server. Any thread.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Protocol


class NamedPort(Protocol):
    """What is asked of a port of JACK-Client. Any thread."""

    @property
    def name(self) -> str: ...
    @property
    def aliases(self) -> Sequence[str]: ...


def is_monitor(port_name: str) -> bool:
    """Whether what is played comes from there, not what is heard: "Scarlett Pro:monitor_AUX0", "system:monitor_1"."""
    return re.match(r"monitor([_ \d]|$)", port_name.partition(":")[2], re.IGNORECASE) is not None


def owner_of(port_name: str) -> str:
    """The client's name: that of the device, for ports that lead to hardware."""
    return port_name.partition(":")[0]


def in_order(names: Iterable[str]) -> list[str]:
    """One client's ports by channel: by their numbers where those alone tell them apart, else as the server lists them.

    The server's order alone is that of registration, in which a place that became free is taken by a later port.
    """
    listed = list(names)
    parts = [re.fullmatch(r"(.*?)(\d+)", name) for name in listed]
    if len({None if part is None else part[1] for part in parts}) > 1 or None in parts:
        return listed
    return sorted(listed, key=lambda name: int(re.fullmatch(r".*?(\d+)", name)[1]))  # type: ignore[index]


def channels_of(ports: Iterable[NamedPort], physical: Iterable[str], device: str | None) -> list[str]:
    """Names of the ports of one device, channel 1 first; empty where none fits. `ports` as the server lists them.

    `device`: a client's name, or a part of a port's name or alias; None: the server's own ports or, where a server has
    several devices, the one that it lists first.
    """
    there = [port for port in ports if not is_monitor(port.name)]
    physical = set(physical)
    if device is None:
        fitting = [port.name for port in there if port.name in physical]
        owners = ["system", *map(owner_of, fitting)]
    else:
        wanted = device.lower()
        fitting = [p.name for p in there if any(wanted in name.lower() for name in (p.name, *p.aliases))]
        exact = [owner_of(name) for name in fitting if owner_of(name).lower() == wanted]
        owners = [*exact, *(owner_of(name) for name in fitting if name in physical), *map(owner_of, fitting)]
    for owner in owners:
        own = [name for name in fitting if owner_of(name) == owner]
        if own:
            return in_order(own)
    return []

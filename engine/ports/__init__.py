"""Audio ports behind one interface: JACK, PortAudio and file. Back ends are imported when they are asked for."""

from .port import (
    Device,
    Port,
    list_devices,
    open_port,
    unavailable_reason,
)

__all__ = ["Device", "Port", "list_devices", "open_port", "unavailable_reason"]

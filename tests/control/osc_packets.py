"""OSC packets as other programs send them. For the tests beside this file."""

from __future__ import annotations

from pythonosc.osc_message_builder import OscMessageBuilder
from pythonosc.parsing.osc_types import IMMEDIATELY, write_date, write_int


def packet(address: str, *arguments: object) -> bytes:
    builder = OscMessageBuilder(address)
    for argument in arguments:
        builder.add_arg(argument)  # type: ignore[arg-type]
    return builder.build().dgram


def bundle(*packets: bytes, at_s: float = IMMEDIATELY) -> bytes:
    return b"#bundle\x00" + write_date(at_s) + b"".join(write_int(len(one)) + one for one in packets)

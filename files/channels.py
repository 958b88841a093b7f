"""Selects channels of a sound by number, counted from 1. Pure functions."""

from __future__ import annotations

from collections.abc import Sequence

from .errors import SoundFileError


class ChannelError(SoundFileError):
    """Channels that cannot be."""


def check_channels(channels: Sequence[int]) -> None:
    """Raise ChannelError for none, for one below 1, and for one that is named twice."""
    if not channels or any(channel < 1 for channel in channels):
        raise ChannelError(f"takes channels counted from 1: {_text(channels)} given")
    if len(set(channels)) != len(channels):
        raise ChannelError(f"channels {_text(channels)}: one is given twice")


def picked(channels: Sequence[int] | None, there: int) -> list[int]:
    """The places of these channels, from 0; None: all that are there. Raises ChannelError."""
    if channels is None:
        return list(range(there))
    check_channels(channels)
    if max(channels) > there:
        has = "one channel" if there == 1 else f"channels 1 to {there}"
        raise ChannelError(f"has {has}: there is no channel {max(channels)}")
    return [channel - 1 for channel in channels]


def _text(channels: Sequence[int]) -> str:
    return ",".join(map(str, channels)) or "none"

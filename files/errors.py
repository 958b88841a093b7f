"""Errors of sound files, worded to follow the name of the file."""

from __future__ import annotations


class SoundFileError(Exception):
    """It cannot be used; the message goes after the file's name and a colon."""


class NoSound(SoundFileError):
    """It is no sound, or of a kind that is not read here."""


class Damaged(SoundFileError):
    """It began as sound and cannot be read further."""

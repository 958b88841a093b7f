"""The one kind of error that a training's user can mend."""

from __future__ import annotations


class TrainingError(ValueError):
    """One line that says what is wrong with the request and what to do; the command line prints it and exits with 2."""

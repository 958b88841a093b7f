"""The error of trainings that a user can fix."""

from __future__ import annotations


class TrainingError(ValueError):
    """One line that says what is wrong with the request and what to do; the command line prints it and exits with 2."""

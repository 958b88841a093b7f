"""The two errors that a user can fix: ConfigError and EngineError. Every message is one line. Any thread."""

from __future__ import annotations


class EngineError(Exception):
    """Something the user can mend: one clear line that says what is wrong and what to do. The CLI exits with 1.

    Any thread.
    """


class ConfigError(EngineError):
    """The request itself is wrong (a channel that cannot exist, a rate no one has). The CLI exits with 2.

    Any thread.
    """

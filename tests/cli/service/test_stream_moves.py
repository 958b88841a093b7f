"""`do` in a stream's controls: a move or a fill by its name, and nothing of the message where it cannot be."""

from __future__ import annotations

from typing import Any

import pytest
from gigmate.cli.service.stream_controls import set_controls
from gigmate.engine.errors import ConfigError, EngineError
from gigmate.engine.player import Controls


class Stream:
    """What set_controls asks of a stream."""

    def __init__(self) -> None:
        self.controls = Controls()
        self.done: list[tuple[str, dict[str, Any]]] = []

    def check_changes(self, mix: object, sounds: object) -> None: ...
    def change_mix(self, mix: object) -> None: ...
    def change_sounds(self, sounds: object) -> None: ...

    def do(self, name: str, **arguments: Any) -> None:
        if name == "panic":
            raise ConfigError("panic: a stream takes moves")
        self.done.append((name, arguments))


def test_a_move_is_done_by_its_name() -> None:
    stream: Any = Stream()
    set_controls(stream, {"type": "controls", "do": "hit", "density": 0.7})
    set_controls(stream, {"type": "controls", "do": {"name": "break", "bars": 2}})
    assert stream.done == [("hit", {}), ("break", {"bars": 2})]
    assert stream.controls.density == 0.7


@pytest.mark.parametrize("asked", ["panic", 3, {"bars": 2}, None])
def test_what_cannot_be_done_changes_nothing(asked: object) -> None:
    stream: Any = Stream()
    with pytest.raises((EngineError, ConfigError)):
        set_controls(stream, {"type": "controls", "do": asked, "density": 0.7})
    assert stream.controls == Controls() and not stream.done

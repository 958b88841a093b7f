"""Lines of the access log: one each, whatever a client asks for."""

from __future__ import annotations

from pathlib import Path

import pytest
from gigmate.cli.service.watch.access_log import Visit, opened
from gigmate.engine.errors import EngineError


def test_one_line_for_what_a_client_makes_of_several(tmp_path: Path) -> None:
    visit = Visit({"type": "http", "method": "GET", "path": '/a\n"b\x1b[2J' + "x" * 999, "client": ("1.2.3.4", 5)})
    visit.sent({"type": "http.response.start", "status": 404})
    visit.sent({"type": "http.response.body", "body": b"12345"})
    line = visit.line()
    assert line.isprintable() and len(line) < 400
    assert " 1.2.3.4 " in line and " 404 5 B " in line
    say = opened(str(tmp_path / "log"))
    assert say is not None
    say(line)
    assert (tmp_path / "log").read_text() == line + "\n"


def test_of_a_websocket_it_tells_the_code() -> None:
    visit = Visit({"type": "websocket", "path": "/stream"})
    visit.sent({"type": "websocket.send", "bytes": b"1234", "text": None})
    visit.sent({"type": "websocket.close", "code": 4503})
    assert '"WebSocket /stream" 4503 4 B' in visit.line()


def test_off_and_where_nothing_can_be_written(tmp_path: Path) -> None:
    assert opened("off") is None
    with pytest.raises(EngineError, match="--access-log"):
        opened(str(tmp_path / "no" / "log"))

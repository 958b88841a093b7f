"""The code of the remote's address: the same squares as the library's, and a panel that fits every terminal."""

from __future__ import annotations

import io

import pytest
import segno
from gigmate.control.panel import MOST_COLUMNS, code_panel
from gigmate.control.qr_code import QUIET_SQUARES, qr_lines
from gigmate.control.terminal import PanelDisplay, console_on
from gigmate.engine.status import Status
from rich.cells import cell_len

from .screen import Screen

ADDRESS = "http://192.168.178.123:8765/#token=abcd-efgh-ijkl-mnop"


def squares_of(lines: list[str]) -> list[list[bool]]:
    rows: list[list[bool]] = []
    for line in lines:
        rows += [[sign in "█▀" for sign in line], [sign in "█▄" for sign in line]]
    return rows


def test_the_squares_are_those_of_the_code() -> None:
    squares = squares_of(qr_lines(ADDRESS))
    code = segno.make(ADDRESS, micro=False, error="l", boost_error=False)
    matrix = [list(map(bool, row)) for row in code.matrix_iter(border=QUIET_SQUARES)]
    assert squares[: len(matrix)] == matrix
    assert not any(map(any, squares[len(matrix) :]))


def test_an_address_with_a_token_fits_a_terminal_of_24_rows() -> None:
    lines = qr_lines(ADDRESS)
    rows = code_panel(ADDRESS, lines, 79, 24)
    text = ["".join(part for part, _ in row) for row in rows]
    assert [line.strip("\n")[(79 - len(lines[0])) // 2 :][: len(lines[0])] for line in text[: len(lines)]] == lines
    assert ADDRESS in "".join(text)


@pytest.mark.parametrize("columns", [1, 20, 33, 79, 300])
@pytest.mark.parametrize("rows", [1, 5, 18, 24, 60])
def test_it_fits_every_terminal(columns: int, rows: int) -> None:
    for code in (qr_lines(ADDRESS), []):
        drawn = code_panel(ADDRESS, code, columns, rows)
        assert 1 <= len(drawn) <= rows
        assert {sum(cell_len(text) for text, _ in row) for row in drawn} == {min(columns, MOST_COLUMNS)}


def test_the_key_shows_the_code_and_hides_it() -> None:
    stream = io.StringIO()
    display = PanelDisplay(
        console_on(stream, force_terminal=True, width=80, height=24), clock=iter(range(100)).__next__
    )
    screen = Screen(80, 24)

    def shown() -> str:
        display.show(Status())
        screen.feed(stream.getvalue())
        stream.seek(0)
        stream.truncate()
        return "\n".join(screen.lines())

    assert ADDRESS not in shown()
    display.show_remote()
    assert "--web --host 0.0.0.0" in shown()
    display.remote(ADDRESS)
    display.show_remote()
    code = shown()
    assert ADDRESS in code and "bpm" not in code
    display.help()
    assert ADDRESS not in shown()
    display.show_remote()
    assert ADDRESS in shown()
    display.show_remote()
    assert "bpm" in shown()

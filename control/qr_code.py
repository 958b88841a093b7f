"""The remote's address as a QR code, drawn in text for the camera of a phone.

Knows neither terminals nor pages. Pure functions, any thread. Needs segno, loaded when a code is drawn.
"""

from __future__ import annotations

QUIET_SQUARES = 2
"""Light squares around the code. The standard asks for four; cameras read it with two, and a terminal has few rows."""
_SIGNS = {(False, False): " ", (True, False): "▀", (False, True): "▄", (True, True): "█"}


def qr_lines(text: str) -> list[str]:
    """A code of that text, two rows of squares in each line; ink is dark: to be written black on white.

    Raises ValueError where the text is too long for a code.
    """
    import segno

    # The least correction and the fewest squares: nothing soils a screen.
    code = segno.make(text, micro=False, error="l", boost_error=False)
    squares = [[bool(square) for square in row] for row in code.matrix_iter(border=QUIET_SQUARES)]
    if len(squares) % 2:
        squares.append([False] * len(squares[0]))
    pairs = zip(squares[::2], squares[1::2], strict=True)
    return ["".join(_SIGNS[upper, lower] for upper, lower in zip(*pair, strict=True)) for pair in pairs]

"""Melodies by people as a list of notes: read from the tune collections that the package music21 brings.

Only collections whose tunes are in the public domain and whose files carry no restriction (docs/licences.md); what is
written stays on the user's machine. Knows no sound and no chords. Run once, offline.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ...files.json_text import json_text
from ...files.whole import write_whole
from ..errors import TrainingError

COLLECTIONS = ("ryansMammoth", "oneills1850", "airdsAirs")
"""Ryan's Mammoth Collection (1883), O'Neill's Music of Ireland (1903), Aird's Selection of Airs (1778 to 1801)."""
METRES = ("2/4", "3/4", "4/4", "2/2", "6/8", "9/8", "12/8")
FEWEST_BARS = 8
_SLACK = 1e-3


def collect(out: Path, collections: tuple[str, ...] = COLLECTIONS) -> int:
    """Writes the tunes of the collections to `out` (JSON); how many. Raises TrainingError without music21."""
    try:
        import music21
        from music21 import converter
    except ImportError as error:
        raise TrainingError("music21 is missing: install it with `pip install music21`") from error
    root = Path(music21.__file__).parent / "corpus"
    tunes: list[dict[str, Any]] = []
    for name in collections:
        for path in sorted((root / name).glob("*.abc")):
            try:
                parsed = converter.parse(path, format="abc", forceSource=True, storePickle=False)
            except (music21.exceptions21.Music21Exception, ValueError, IndexError, AttributeError, TypeError):
                continue  # a tune that its reader does not understand
            scores = list(parsed.scores) if hasattr(parsed, "scores") else [parsed]
            for number, score in enumerate(scores):
                tune = read_tune(score)
                if tune is not None:
                    tunes.append({"from": f"{name}/{path.stem}/{number}", **tune})
    if not tunes:
        raise TrainingError(
            f"{root}: holds none of the collections {', '.join(collections)}: install the whole music21"
        )
    write_whole(out, json_text(tunes).encode())
    return len(tunes)


def read_tune(score: Any) -> dict[str, Any] | None:
    """{"metre", "bars": [[[onset, length, pitch], ..], ..]} in quarters, the first bar a pick-up that may be empty;
    None for what has several voices or metres, or bars that do not add up."""
    parts = list(score.parts) if hasattr(score, "parts") else []
    if len(parts) != 1:
        return None
    part = parts[0].stripTies()
    signs = {sign.ratioString for sign in part.recurse().getElementsByClass("TimeSignature")}
    if len(signs) != 1 or not signs <= set(METRES):
        return None
    metre = signs.pop()
    above, below = (int(word) for word in metre.split("/"))
    size = 4.0 * above / below
    bars: list[list[list[float]]] = [[]]
    open_end = 0.0  # how much of a bar that a repeat divided is there
    for k, measure in enumerate(part.getElementsByClass("Measure")):
        notes = [
            [float(n.offset), float(n.quarterLength), float(n.pitch.midi)]
            for n in measure.notes if n.isNote and float(n.quarterLength) > 0
        ]  # fmt: skip
        length = max((float(n.offset + n.quarterLength) for n in measure.notesAndRests), default=0.0)
        if k == 0 and length < size - _SLACK:
            bars[0] = [[size - length + at, for_, pitch] for at, for_, pitch in notes]
        elif abs(length - size) < _SLACK and open_end == 0.0:
            bars.append(notes)
        elif length < size - _SLACK and open_end == 0.0:
            bars.append(notes)
            open_end = length
        elif abs(open_end + length - size) < _SLACK:
            bars[-1] += [[open_end + at, for_, pitch] for at, for_, pitch in notes]
            open_end = 0.0
        else:
            return None
    return {"metre": metre, "bars": bars} if len(bars) > FEWEST_BARS else None

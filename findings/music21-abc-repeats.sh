#!/usr/bin/env bash
# music21 10.5.1: of an ABC tune with two repeats that are closed and not opened (as folk tunes are written), expandRepeats
# lets the second one go back to the very beginning, and plays the first one again with its repeat. The standard (ABC
# 2.1, 4.8) has the beginning of a repeat left out where it is the beginning of the tune or follows another repeat. A
# chord symbol that music21 does not know ("B°", "CΔ7") is not there at all, without a word.
# Seen 2026-12-01: C F :| G Am :| is played C F C F G Am C F C F G Am; with |: before G it is C F C F G Am G Am.
# GigMate: `sheets/readers/abc_tunes.py` begins a repeat behind the one before, and reads both chords.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m pip install --quiet --disable-pip-version-check --target "$folder" music21==10.5.1
PYTHONPATH=$folder python3 - <<'PYTHON'
import sys

from music21 import converter

HEAD = "X:1\nM:4/4\nL:1/4\nK:C\n"


def chords(body: str, expanded: bool = True) -> str:
    part = converter.parse(HEAD + body, format="abc").parts[0]
    played = part.expandRepeats() if expanded else part
    return " ".join(symbol.figure for symbol in played.recurse().getElementsByClass("ChordSymbol"))


closed = chords('"C"CCCC|"F"FFFF:|"G"GGGG|"Am"AAAA:|')
opened = chords('"C"CCCC|"F"FFFF:|\n|:"G"GGGG|"Am"AAAA:|')
unknown = chords('"C"C4|"B°"B4|"CΔ7"C4|"G"G4|', expanded=False)
print(f"closed only: {closed}\nopened too: {opened}\nof C, B°, CΔ7 and G: {unknown}")
same = closed == "C F C F G Am C F C F G Am" and opened == "C F C F G Am G Am" and unknown == "C G"
sys.exit(0 if same else 1)
PYTHON

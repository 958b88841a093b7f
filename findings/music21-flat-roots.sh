#!/usr/bin/env bash
# music21 10.5.1: flats are written "-" there ("B-7"). A chord symbol as everybody else writes it is not refused: in
# "Bb7" the b is taken for nothing and the chord is B7, without a word; "Bbmaj7" and "Bb" raise ValueError, so that of
# one chart some chords are refused and others are a semitone off.
# Seen 2026-11-30: Bb7 has root B (B D# F# A), Eb7 has root E; B-7 has root B flat (B- D F A-).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m pip install --quiet --disable-pip-version-check --target "$folder" music21==10.5.1
PYTHONPATH=$folder python3 - <<'PYTHON'
import sys

from music21 import harmony

found = {figure: harmony.ChordSymbol(figure).root().name for figure in ("Bb7", "Eb7", "B-7", "E-7")}
refused = []
for figure in ("Bb", "Bbmaj7"):
    try:
        harmony.ChordSymbol(figure)
    except ValueError:
        refused.append(figure)
print(f"roots {found}; refused {refused}")
same = found == {"Bb7": "B", "Eb7": "E", "B-7": "B-", "E-7": "E-"} and refused == ["Bb", "Bbmaj7"]
sys.exit(0 if same else 1)
PYTHON

"""Charts as we read them and as other programs do, bar by bar: `python tests/sheets/against_others.py`.

A program, no test: it needs music21 and pyRealParser (`pip install music21==10.5.1 pyRealParser==0.1.0`), and node with
npm, by which it gets ChordSheetJS. MusicXML and ABC come from music21's own corpus, by other people and programs;
charts of iReal Pro are made of its published letters; ChordPro and sheets of words are written by ChordSheetJS. It
prints what differs, and ends with 1 where that is not explained here.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.parse
import warnings
import zipfile
from fractions import Fraction
from pathlib import Path
from typing import Any

from gigmate.engine.charts.chord_symbol import NO_CHORD, parse_chord
from gigmate.sheets.library import open_bytes
from gigmate.sheets.order import in_order
from gigmate.sheets.readers.abc_tunes import sheet_of, songs_of
from gigmate.sheets.readers.ireal_links import scrambled
from gigmate.sheets.sheet import Sheet, SheetBar

Bars = list[list[tuple[Fraction, int]]]

ABC_FILES = ("nottingham-dataset/reelsa-c.abc",)
IREAL = {
    "plain": "[T44C^7   |A-7   |D-9   |G7#5   Z",
    "endings": "{*AT44C   |F   |N1G   |G   }|N2C   |C   ][*BE   |A   |E   |A   Z",
    "endings of two sections": "*A{T44C |F |N1G |C }|N2G |D ]*B{E |A |N1B |E }|N2B |E ]",
    "D.C. al Coda": "[*AT44C   |F   |G Q  |C   ][*BE   |A   |<D.C. al Coda>D   |G   ][QC6   |C6   Z",
    "D.S. al Coda": "[T44C   |SF   |G   |CQ   |E   |A <D.S. al Coda>  ]QB   |E   Z",
    "one bar again": "[T44C   |F   | x  |G   |A   |D7   Z",
    "two bars again, twice": "[T44C   |F   | r|   | r|   |G   |A   Z",
    "chords in a bar": "[T34C  |F G|G-7,C7,F7,|D  |E  |A  Z",
    "D.C. al Fine": "[T44C   |F   |G <Fine>  |C   ]E   |A <D.C. al Fine>  Z",
}
EXPECTED = {
    "endings of two sections": "findings/pyrealparser-endings.sh",
    "two bars again, twice": "findings/pyrealparser-two-bars.sh",
    "D.C. al Fine": "pyRealParser knows no Fine",
    "Words Night Walk": "ChordSheetJS reads no chords in a last line without words",
}
CHORDSHEETJS = "chordsheetjs@15.5.2"
SONGS = (
    """title: Amazing Grace
key: G

Verse 1:
    G       G7     C        G
Amazing grace, how sweet the sound
     G       Em      D/F#  D7
That saved a wretch like me
""",
    """title: House of the Rising Sun
key: Am

Verse:
         Am   C     D           F
There is a house in New Orleans
     Am       C      E   E7
They call the Rising Sun
         Am       C     D     F
It's been the ruin of many a girl
    Am     E     Am  N.C.
And me, oh Lord, was one
""",
    """title: Scarborough Fair
key: Dm

Dm          C             Dm
Are you going to Scarborough Fair
F        Dm  F    G      Dm
Parsley, sage, rosemary and thyme
""",
    """title: Auld Lang Syne
key: F

Chorus:
    F     Dm7  Gm7   C7sus4 C7
For auld lang syne, my dear
    F     F7/A  Bbmaj7
For auld lang syne
          F/C     A7/C#    Dm    Bb6
We'll take a cup of kindness yet
    Gm7   C7    F
For auld lang syne
""",
    """title: Night Walk
key: Em

Bridge:
Am7   D9   Gmaj7  C#m7b5
One two three four
F#7b9  Bm7  E7sus4  E7#9
Down along the quiet road
Cdim7  Baug  Am6  B7alt
""",
)
READ_THERE = """
const cs = require("chordsheetjs");
const texts = JSON.parse(require("fs").readFileSync(0, "utf8"));
const chords = (song) => song.lines.flatMap((line) => line.items.map((item) => item.chords).filter(Boolean));
console.log(JSON.stringify(texts.map((text) => {
  const song = new cs.ChordsOverWordsParser().parse(text);
  const cho = new cs.ChordProFormatter().format(song);
  const words = new cs.TextFormatter().format(song);
  return [[cho, chords(new cs.ChordProParser().parse(cho))],
          [words, chords(new cs.ChordsOverWordsParser().parse(words))]];
})));
"""


def ours(sheet: Sheet, bars: list[SheetBar]) -> Bars:
    """(place, root) of every chord, bar by bar."""
    return [[(offset, chord.root) for offset, chord in bar.chords] for bar in bars]


def theirs(measures: Any) -> Bars:
    """The same of music21's measures."""
    from music21 import harmony

    made = []
    for measure in measures:
        bar = {}
        for symbol in measure.getElementsByClass(harmony.ChordSymbol):
            root = -1 if isinstance(symbol, harmony.NoChord) else symbol.root().pitchClass
            bar.setdefault(Fraction(symbol.offset).limit_denominator(48), root)
        made.append(sorted(bar.items()))
    return made


def chord_part(score: Any) -> Any:
    from music21 import harmony

    return max(score.parts, key=lambda part: len(list(part.recurse().getElementsByClass(harmony.ChordSymbol))))


def scores(corpus: Path) -> list[tuple[str, bool]]:
    """Each MusicXML with chord symbols, as it is played."""
    from music21 import converter, stream

    results = []
    for path in sorted(path for path in corpus.rglob("*") if path.suffix in (".mxl", ".xml", ".musicxml")):
        data = path.read_bytes()
        if path.suffix == ".mxl":
            with zipfile.ZipFile(path) as archive:
                text = b"".join(archive.read(name) for name in archive.namelist())
        else:
            text = data
        if b"<harmony" not in text:
            continue
        sheet = open_bytes(data, path.name, path.suffix).entries[0].read()
        assert isinstance(sheet, Sheet)
        expanded = chord_part(converter.parse(path)).expandRepeats().getElementsByClass(stream.Measure)
        played = [sheet.bars[number] for number in in_order(sheet)]
        results.append((f"MusicXML {path.name}", ours(sheet, played) == theirs(expanded)))
    return results


def tunes(corpus: Path) -> list[tuple[str, bool]]:
    """Each ABC tune with chords, as it is written: repeats are another matter (findings/music21-abc-repeats.sh)."""
    from music21 import converter
    from music21.abcFormat import testFiles

    texts = [text for name in ABC_FILES for _, text in songs_of((corpus / name).read_text(encoding="utf-8"))]
    known = [getattr(testFiles, name) for name in dir(testFiles)]
    texts += [text.strip() for text in known if isinstance(text, str) and '"' in text and "K:" in text]
    results = []
    for text in texts:
        title = re.search(r"^T: *(.*)", text, re.MULTILINE)
        sheet = sheet_of(text)
        measures = chord_part(converter.parse(text, format="abc")).getElementsByClass("Measure")
        if any(symbols for symbols in theirs(measures)):
            results.append((f"ABC {title[1] if title else '?'}", ours(sheet, sheet.bars) == theirs(measures)))
    return results


def links() -> list[tuple[str, bool]]:
    """Each link, as it is played."""
    from pyRealParser import Tune

    results = []
    for name, body in IREAL.items():
        text = f"{name}=Composer==Medium Swing=C=={scrambled(body)}==0=0"
        link = "irealb://" + urllib.parse.quote(text)
        sheet = open_bytes(link.encode(), "link").entries[0].read()
        assert isinstance(sheet, Sheet)
        with contextlib.redirect_stdout(io.StringIO()):
            (tune,) = Tune.parse_ireal_url(link)
        roots = [[root for _, root in bar] for bar in ours(sheet, [sheet.bars[number] for number in in_order(sheet)])]
        letters = [re.findall(r"[A-G]", bar) for bar in tune.measures_as_strings]
        notes = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
        results.append((f"iReal Pro {name}", roots == [[notes[letter] for letter in bar] for bar in letters]))
    return results


def sheets_of_words() -> tuple[list[tuple[str, bool]], list[tuple[str, bool]]]:
    """Songs as ChordSheetJS writes them, in ChordPro and with the chords above the words, and the chords that it reads
    there: the same ones by their tones and basses, a bar each."""
    with tempfile.TemporaryDirectory() as folder:
        npm = [shutil.which("npm") or "npm", "install", "--silent", "--prefix", folder, CHORDSHEETJS]
        subprocess.run(npm, check=True, stdout=subprocess.DEVNULL)
        told = subprocess.run(
            ["node", "-e", READ_THERE], input=json.dumps(SONGS), text=True, capture_output=True, check=True,
            env=os.environ | {"NODE_PATH": f"{folder}/node_modules"},
        ).stdout  # fmt: skip
    results: tuple[list[tuple[str, bool]], list[tuple[str, bool]]] = ([], [])
    for song, pair in zip(SONGS, json.loads(told), strict=True):
        title = song.splitlines()[0].partition(": ")[2]
        for kind, (text, chords) in enumerate(pair):
            name = ("ChordPro", "Words")[kind]
            sheet = open_bytes(text.encode(), title, (".cho", ".txt")[kind]).entries[0].read()
            assert isinstance(sheet, Sheet)
            found = [chord for bar in sheet.bars for _, chord in bar.chords]
            meant = [NO_CHORD if chord == "N.C." else parse_chord(chord) for chord in chords]
            same = [(one.pitch_classes, one.bass) for one in found] == [(one.pitch_classes, one.bass) for one in meant]
            results[kind].append((f"{name} {title}", same))
    return results


def main() -> int:
    """Everything, and how much of it is the same."""
    import music21

    warnings.simplefilter("ignore")
    corpus = Path(music21.__file__).parent / "corpus"
    failed = 0
    for kind in (scores(corpus), tunes(corpus), links(), *sheets_of_words()):
        for name, same in kind:
            why = next((text for word, text in EXPECTED.items() if name.endswith(word)), "")
            if not same:
                print(f"{name}: differs{f' ({why})' if why else ''}")
                failed += not why
        print(f"{kind[0][0].split()[0]}: {sum(same for _, same in kind)} of {len(kind)} the same")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

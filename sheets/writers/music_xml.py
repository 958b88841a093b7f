"""A chart as MusicXML: a lead sheet of slashes with chord symbols, as it is played. Pure functions, any thread."""

from __future__ import annotations

import re
from fractions import Fraction
from xml.sax.saxutils import escape

from ...engine.charts.chart import Chart
from ...engine.charts.chord_symbol import ChordSymbol, parse_key
from ..kinds import split_name
from ..library import Song
from .notation import signature

_DIVISIONS = 48
_FIFTHS = {0: 0, 7: 1, 2: 2, 9: 3, 4: 4, 11: 5, 6: 6, 1: -5, 8: -4, 3: -3, 10: -2, 5: -1}
_DEGREE = re.compile(
    r"(?P<no>no|omit)(?P<lost>[35])|add(?P<sign>[b#]?)(?P<added>\d+)|(?P<alter>[b#+-])(?P<degree>13|11|9|6|5)"
)
_ALTER = {"b": -1, "-": -1, "": 0, "#": 1, "+": 1}


def as_music_xml(song: Song) -> str:
    """The text."""
    chart = song.chart
    title, composer = escape(song.title), escape(song.composer)
    names = {}
    first = 0
    for section in chart.sections:
        names[first] = section.name
        first += section.bars
    bars = "".join(_measure(chart, bar, names.get(bar, "")) for bar in range(chart.bars))
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<!DOCTYPE score-partwise PUBLIC "-//Recordare//DTD MusicXML 4.0 Partwise//EN" '
        '"http://www.musicxml.org/dtds/partwise.dtd">\n'
        f'<score-partwise version="4.0">\n<work><work-title>{title}</work-title></work>\n'
        f'<identification><creator type="composer">{composer}</creator>'
        "<encoding><software>GigMate</software></encoding></identification>\n"
        '<part-list><score-part id="P1"><part-name>Chords</part-name></score-part></part-list>\n'
        f'<part id="P1">\n{bars}</part>\n</score-partwise>\n'
    )


def _measure(chart: Chart, bar: int, section: str) -> str:
    beats, each = chart.beats_of_bar(bar), Fraction(chart.quarters_of_beat(bar))
    start = chart.beat_at_bar(bar)
    made = [f'<measure number="{bar + 1}">\n']
    before = signature(chart.beats_of_bar(bar - 1), chart.quarters_of_beat(bar - 1)) if bar else ""
    metre = signature(beats, float(each))
    if not bar or metre != before:
        count, kind = metre.split("/")
        head = f"<divisions>{_DIVISIONS}</divisions>{_key(chart)}" if not bar else ""
        made.append(
            f"<attributes>{head}<time><beats>{count}</beats><beat-type>{kind}</beat-type></time></attributes>\n"
        )
    if not bar and chart.tempo_bpm:
        made.append(f'<sound tempo="{float(Fraction(chart.tempo_bpm) * each):g}"/>\n')
    if section:
        made.append(
            f"<direction><direction-type><rehearsal>{escape(section)}</rehearsal></direction-type></direction>\n"
        )
    changes = [(c.beat - start, c.chord) for c in chart.changes if start <= c.beat < start + beats]
    edges = [Fraction(at).limit_denominator(12) for at, _ in changes]
    if not edges or edges[0] > 0:
        changes.insert(0, (0.0, chart.chord_symbol_at(start)))
        edges.insert(0, Fraction(0))
    for at, end, (_, chord) in zip(edges, [*edges[1:], Fraction(beats)], changes, strict=True):
        made.append(_harmony(chord))
        made.append(f"<note><rest/><duration>{round((end - at) * each * _DIVISIONS)}</duration></note>\n")
    return "".join([*made, "</measure>\n"])


def _key(chart: Chart) -> str:
    if not chart.key:
        return ""
    tonic, minor = parse_key(chart.key)
    mode = "minor" if minor else "major"
    return f"<key><fifths>{_FIFTHS[(tonic + 3) % 12 if minor else tonic]}</fifths><mode>{mode}</mode></key>"


def _harmony(chord: ChordSymbol) -> str:
    match = re.match(r"([A-G])(##|bb|#|b)?", chord.name)
    if match is None:
        return '<harmony><root><root-step text="">C</root-step></root><kind text="N.C.">none</kind></harmony>\n'
    quality = chord.name[match.end() :]
    bass = ""
    if chord.bass != chord.root:
        quality, _, low = quality.rpartition("/")
        bass = f"<bass>{_note('bass', low)}</bass>"
    kind, rest = split_name(re.sub(r"[(),]", "", quality).replace("6/9", "6add9").replace("69", "6add9"))
    text = escape(quality, {'"': "&quot;"})
    if _DEGREE.sub("", rest):  # "alt": no kind, and only the text says it
        kind, rest = "other", ""
    degrees = "".join(_degree(found) for found in _DEGREE.finditer(rest))
    root = _note("root", match.group())
    return f'<harmony><root>{root}</root><kind text="{text}">{kind}</kind>{bass}{degrees}</harmony>\n'


def _note(what: str, name: str) -> str:
    alter = {"": 0, "#": 1, "b": -1, "##": 2, "bb": -2}.get(name[1:], 0)
    return f"<{what}-step>{name[:1]}</{what}-step>" + (f"<{what}-alter>{alter}</{what}-alter>" if alter else "")


def _degree(match: re.Match[str]) -> str:
    if match["no"]:
        value, alter, kind = match["lost"], 0, "subtract"
    elif match["added"]:
        value, alter, kind = match["added"], _ALTER[match["sign"]], "add"
    else:
        value, alter = match["degree"], _ALTER[match["alter"]]
        kind = "alter" if value == "5" else "add"
    return (
        f"<degree><degree-value>{value}</degree-value><degree-alter>{alter}</degree-alter>"
        f"<degree-type>{kind}</degree-type></degree>"
    )

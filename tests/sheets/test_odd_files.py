"""Odd files of every format: what another program or a hurried hand wrote is read rightly, or it is one clear line."""

from __future__ import annotations

import io
import urllib.parse

import mido
import pytest
from gigmate.engine.charts.chart import ChartError
from gigmate.sheets.readers.ireal_links import scrambled

from .reading import played, read


def ireal(body: str) -> str:
    return "irealb://" + urllib.parse.quote(f"T=C==Medium Swing=C=={scrambled(body)}==0=0")


def abc(bars: str, metre: str = "4/4") -> str:
    return f"X:1\nM:{metre}\nL:1/8\nK:C\n{bars}\n"


def cho(text: str) -> str:
    return f"{{title: T}}\n{text}\n"


NOTE = "<note><rest/><duration>4</duration></note>"
FOUR = "<attributes><divisions>1</divisions><time><beats>4</beats><beat-type>4</beat-type></time></attributes>"


def xml(*bars: str) -> str:
    """A score of these bars of four; "C:major" stands for a harmony."""
    made = []
    for number, bar in enumerate(bars):
        step, _, kind = bar.partition(":")
        harmony = f"<harmony><root><root-step>{step}</root-step></root><kind>{kind}</kind></harmony>"
        made.append(f"<measure number='{number + 1}'>{'' if number else FOUR}{harmony}{NOTE}</measure>")
    return f"<?xml version='1.0'?><score-partwise><part id='P1'>{''.join(made)}</part></score-partwise>"


def midi(*messages: mido.Message | mido.MetaMessage) -> bytes:
    file = mido.MidiFile(ticks_per_beat=480)
    file.tracks.append(mido.MidiTrack([*messages, mido.MetaMessage("end_of_track", time=1680)]))
    data = io.BytesIO()
    file.save(file=data)
    return data.getvalue()


def marker(text: str, time: int = 0) -> mido.MetaMessage:
    return mido.MetaMessage("marker", text=text, time=time)


READ = {
    "iReal: nested repeats": (ireal("{T44C |{F |G }|A }"), "", "C | F | G | F | G | A | A", ""),
    "iReal: 5/4": (ireal("[T54C |F G |Z"), "", "C | F . . G .", ""),
    "iReal: 7/8, then 3/4": (ireal("[T78C |F |T34G |Z"), "", "C | F | G", ""),
    "iReal: N.C.": (ireal("[T44C |n |F |Z"), "", "C | N.C. | F", ""),
    "iReal: minor and major in other programs' letters": (
        ireal("[T44Cm7 |FΔ7 |Bø |Gdim7 |Amin |Cmaj7 |Z"), "", "Cm7 | Fmaj7 | Bø | Gdim7 | Amin | Cmaj7", ""),
    "iReal: a signless coda": (ireal("[T44C |QF |G |QA Z"), "", "C | F | G | C | A", "without D.C."),
    "iReal: an ending without a repeat": (ireal("[T44C |N1F |N2G |Z"), "", "C | F", "ending 2 is never played"),
    "iReal: a link that is cut off": (ireal("[T44C |F |G |Z")[:-14], "", "C | F | G", "the link ends within the song"),
    "ABC: nested repeats": (abc('|:"C"C8|:"F"F8:|"G"G8:|'), ".abc", "C | F | F | G | G", ""),
    "ABC: endings 1 to 3 and 4": (
        abc('|:"C"C8|1-3 "F"F8:|4 "G"G8|]'), ".abc", "C | F | C | F | C | F | C | G", ""),
    "ABC: an ending without a repeat": (abc('"C"C8|1"F"F8|2"G"G8|]'), ".abc", "C | F", "ending 2 is never played"),
    "ABC: 7/8": (abc('"C"C7|"F"F4"G"G3|', "7/8"), ".abc", "C | F . . . G . .", ""),
    "ABC: (2+2+3)/8": (abc('"C"C7|', "(2+2+3)/8"), ".abc", "C", ""),
    "ABC: changes of metre": (abc('"C"C8|[M:3/4]"F"F6|[M:7/8]"G"G7|'), ".abc", "C | F | G", ""),
    "ABC: two chords in one": (abc('"C or G"C8|"Dm (F)"D8|"(G)"G8|'), ".abc", "C | Dm | G", "read as C"),
    "ABC: signs": (abc('"CΔ"C8|"Bø"B8|"C°"C8|"F^7"F8|'), ".abc", "Cmaj7 | Bø | Cdim | Fmaj7", ""),
    "ABC: as Windows saves a text": (abc('"C"C8|"F"F8|').encode("utf-16"), ".abc", "C | F", ""),
    "ChordPro: German, small and H": (cho("[H7]a [a]b [B]c [fis]d"), ".cho", "B7 | Am | Bb | F#m", ""),
    "ChordPro: lower case": (cho("[am]a [e]b [C]c"), ".cho", "Am | Em | C", "am in lower case is read as Am"),
    "ChordPro: a bracket that nothing closes": (cho("[C a [F]b"), ".cho", "F", "a [ that nothing closes"),
    "ChordPro: another chord in brackets": (cho("[C (F)]a [(G)]b"), ".cho", "C | G", "read as C"),
    "ChordPro: old Macintosh": ("{t:T}\r[C]a [F]b\r", ".cho", "C | F", ""),
    "ChordPro: 7/8, then 3/4": (cho("{time: 7/8}\n[C]a\n{time: 3/4}\n[F]b"), ".cho", "C | F", ""),
    "words: as Windows saves them": ("C  F\na  b\n".encode("utf-16"), ".txt", "C | F", ""),
    "words: small minors": ("am  e7  C\nx y z\n", ".txt", "Am | Em7 | C", "am in lower case is read as Am"),
    "words: Ultimate Guitar": ("[tab][ch]C[/ch]   [ch]Am[/ch]\nhello you[/tab]\n", ".txt", "C | Am", ""),
    "words: signs": ("CΔ  Bø  C°  C+  N.C.\nx\n", ".txt", "Cmaj7 | Bø | Cdim | C+ | N.C.", ""),
    "MusicXML: a kind that nobody knows": (xml("C:Tristan", "F:major"), ".xml", "C | F", "no kind of chord 'Tristan'"),
    "MusicXML: no chord": (xml("C:none", "F:major"), ".xml", "N.C. | F", ""),
    "MIDI: 7/8": (
        midi(mido.MetaMessage("time_signature", numerator=7, denominator=8), marker("Am"), marker("C/G", 1680)),
        "", "Am | C/G", ""),
}  # fmt: skip
"""By name: the file, its suffix, what is played, and what is said of it."""

REFUSED = {
    "iReal: no song": ("irealb://%", "", "no song"),
    "iReal: repeats nothing": (ireal("[T44x |C |Z"), "", "bar 1: repeats the bar before, and there is none"),
    "iReal: T11": (ireal("[T11C |Z"), "", "no time signature T11"),
    "iReal: more bars than a song has": (ireal("{T44" + "C |" * 3000 + "}"), "", "more than 4000 bars"),
    "ABC: no chord": (abc("CDEF GABc|"), ".abc", "no chords"),
    "ChordPro: the chorus without end": (cho("{soc}\n[C]a\n{eoc}\n" + "{chorus}\n" * 5000), ".cho", "4000 bars"),
    "MusicXML: cut off": (xml("C:major", "F:major")[:300], ".xml", "damaged XML"),
    "MusicXML: another XML": ("<?xml version='1.0'?><svg/>", ".xml", "no score"),
    "MIDI: cut off": (midi(marker("Am"))[:30], "", "damaged MIDI"),
    "MIDI: film frames": (midi(marker("Am"))[:12] + b"\xe7\x28" + midi(marker("Am"))[14:], "", "film frames"),
    "a WAV": (b"RIFF\x24\x00\x00\x00WAVEfmt \x10\x00\x00\x00\xff\xfe", "", "no chart that is read here"),
}


@pytest.mark.parametrize("name", READ)
def test_odd_files_are_read_rightly(name: str) -> None:
    data, suffix, bars, said = READ[name]
    chart = read(data, suffix)
    assert played(chart) == bars
    assert said in " / ".join(chart.remarks) and (said or not [one for one in chart.remarks if "words tell" not in one])


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_chart_is_one_line(name: str) -> None:
    data, suffix, said = REFUSED[name]
    with pytest.raises(ChartError) as error:
        read(data, suffix)
    assert said in str(error.value) and "\n" not in str(error.value) and len(str(error.value)) < 200

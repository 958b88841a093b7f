"""MusicXML, MXL and MIDI: chords, signs, bars; and files that mean harm, made here and harmless."""

from __future__ import annotations

import io
import zipfile

import mido
import pytest
from gigmate.engine.charts.chart import ChartError
from gigmate.sheets.library import open_bytes
from gigmate.sheets.writers.music_xml import as_music_xml
from gigmate.sheets.writers.targets import lost

from .reading import played, read, sections

NOTE = "<note><rest/><duration>{}</duration></note>"


def chord(root: str, kind: str = "major", more: str = "", text: str = "") -> str:
    alter = {"b": -1, "#": 1}.get(root[1:], 0)
    return (
        f"<harmony><root><root-step>{root[0]}</root-step><root-alter>{alter}</root-alter></root>"
        f'<kind text="{text}">{kind}</kind>{more}</harmony>'
    )


def degree(value: int, alter: int, kind: str) -> str:
    return (
        f"<degree><degree-value>{value}</degree-value><degree-alter>{alter}</degree-alter>"
        f"<degree-type>{kind}</degree-type></degree>"
    )


def score(*measures: str, head: str = "<time><beats>4</beats><beat-type>4</beat-type></time>") -> str:
    first = f"<attributes><divisions>2</divisions>{head}</attributes>"
    bars = [
        f'<measure number="{number}">{first if number == 1 else ""}{inside}'
        f"{'' if '<note' in inside else NOTE.format(8)}</measure>"
        for number, inside in enumerate(measures, 1)
    ]
    return (
        '<?xml version="1.0"?><!DOCTYPE score-partwise PUBLIC "-//Recordare//DTD MusicXML 4.0 Partwise//EN" '
        '"http://www.musicxml.org/dtds/partwise.dtd"><score-partwise><work><work-title>T</work-title></work>'
        f'<part-list/><part id="P1">{"".join(bars)}</part></score-partwise>'
    )


@pytest.mark.parametrize(
    ("kind", "more", "text", "name"),
    [
        ("major", "", "", "Bb"), ("minor-seventh", "", "", "Bbm7"), ("half-diminished", "", "", "Bbm7b5"),
        ("major-minor", "", "", "BbmMaj7"), ("dominant", degree(9, -1, "add") + degree(5, 1, "alter"), "", "Bb7b9#5"),
        ("suspended-fourth", degree(7, 0, "add"), "", "Bb7sus4"), ("major", degree(9, 0, "add"), "", "Bbadd9"),
        ("power", "", "", "Bb5"), ("other", "", "7alt", "Bb7alt"), ("dominant", degree(3, 0, "subtract"), "", "Bb7no3"),
        ("minor", "<bass><bass-step>D</bass-step><bass-alter>-1</bass-alter></bass>", "", "Bbm/Db"),
        ("none", "", "", "N.C."),
    ],
)  # fmt: skip
def test_kinds_and_degrees(kind: str, more: str, text: str, name: str) -> None:
    chart = read(score(chord("C"), chord("Bb", kind, more, text)))
    assert played(chart) == f"C | {name}" and not chart.remarks


def test_repeats_endings_jumps_sections_and_time() -> None:
    forward = '<barline location="left"><repeat direction="forward"/></barline>'
    first = '<barline location="left"><ending number="1" type="start"/></barline>'
    second = '<barline location="left"><ending number="2" type="start"/></barline>'
    back = '<barline><ending number="{}" type="stop"/><repeat direction="backward"/></barline>'
    end = '<barline><ending number="2" type="discontinue"/></barline>'
    coda = "<direction><direction-type><coda/></direction-type></direction>"
    jump = '<direction><direction-type><words>D.C. al Coda</words></direction-type><sound dacapo="yes"/></direction>'
    mark = "<direction><direction-type><rehearsal>B</rehearsal></direction-type></direction>"
    leave = '<direction><direction-type><coda/></direction-type><sound tocoda="c"/></direction>'
    three = "<attributes><time><beats>3</beats><beat-type>4</beat-type></time></attributes>"
    chart = read(
        score(
            forward + chord("C"),
            first + chord("D") + NOTE.format(8) + back.format(1),
            second + chord("E") + NOTE.format(8) + end,
            mark + chord("F") + NOTE.format(4) + chord("G") + NOTE.format(4) + leave,
            chord("A") + NOTE.format(8) + jump,
            coda + three + chord("B") + NOTE.format(6),
        )
    )
    assert played(chart) == "C | D | C | E | F G | A | C | E | F G | B"
    assert [name for name, _ in sections(chart)] == ["", "B", "", "B"]
    assert [chart.beats_of_bar(bar) for bar in (8, 9)] == [4, 3]


def test_a_pick_up_and_a_transposing_part() -> None:
    shift = "<transpose><chromatic>-2</chromatic></transpose>"
    chart = read(
        score(
            NOTE.format(2),
            "<direction><sound tempo='90'/></direction>" + chord("D", "dominant"),
            head=f"<key><fifths>2</fifths></key><time><beats>4</beats><beat-type>4</beat-type></time>{shift}",
        )
    )
    assert (played(chart), chart.key, chart.tempo_bpm) == ("C7", "C", 90)


def mxl(name: str, data: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        root = f'<container><rootfiles><rootfile full-path="{name}"/></rootfiles></container>'
        archive.writestr("META-INF/container.xml", root)
        archive.writestr(name, data)
    return packed.getvalue()


def test_compressed_scores() -> None:
    assert played(read(mxl("score.xml", score(chord("C"), chord("G")).encode()))) == "C | G"


HEAD = '<?xml version="1.0"?><!DOCTYPE score-partwise '
ENTITY = HEAD + '[<!ENTITY a "aa"><!ENTITY b "&a;&a;">]><score-partwise>&b;</score-partwise>'
OUTSIDE = HEAD + '[<!ENTITY a SYSTEM "file:///dev/null">]><score-partwise>&a;</score-partwise>'
PARAMETER = HEAD + '[<!ENTITY % a SYSTEM "file:///dev/null"> %a;]><score-partwise/>'


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (ENTITY.encode(), "entities"),
        (OUTSIDE.encode(), "entities"),
        (PARAMETER.encode(), "entities"),
        (b"<?xml version='1.0'?>" + b"<a>" * 100 + b"</a>" * 100, "nested too deeply"),
        (b"<?xml version='1.0'?><score-partwise>", "damaged XML in line 1"),
        (b"<?xml version='1.0'?><html/>", "no score"),
        (score("").encode(), "without chord symbols"),
        (mxl("score.xml", ENTITY.encode()), "entities"),
        (mxl("score.xml", b" " * 70_000_000), "more than 64 MB"),
        (b"PK\x03\x04broken", "damaged compressed"),
        (b"MThd\x00\x00\x00\x06\x00\x01\x00\x01\x01\xe0MTrk\x00\x00\xff\xff\x00\x90", "damaged MIDI|without notes"),
        (b"\x00\x01\x02\xff\xfe" * 9, "no chart that is read"),
    ],
)  # fmt: skip
def test_what_means_harm_or_is_broken_is_one_line(data: bytes, why: str) -> None:
    with pytest.raises(ChartError, match=why) as error:
        read(data)
    assert "\n" not in str(error.value)


def test_what_is_written_reads_as_the_same() -> None:
    text = (
        "title: A & B\nkey: Dm\ntempo: 100\nmetre: 6/8\n[A]\n| Dm7 G7sus4 | C6/9 Fmaj7#11/E |\n[B]\n"
        "| 4/4 Bm7b5 . . E7b9 | A7alt Ddim7 | N.C. | GmMaj7 |\n"
    )
    song = open_bytes(text.encode(), "a.chart", ".chart").song(0)
    written = as_music_xml(song)
    again = read(written)
    assert sections(again) == sections(song.chart) and again.metres == song.chart.metres
    assert again.tempo_bpm == 100 and again.key == "Dm"
    assert lost([song], written, "a", ".musicxml") == []


def midi(*tracks: list[mido.Message]) -> bytes:
    file = mido.MidiFile(ticks_per_beat=480)
    file.tracks += [mido.MidiTrack(track) for track in tracks]
    out = io.BytesIO()
    file.save(file=out)
    return out.getvalue()


def test_midi_with_chords_as_markers() -> None:
    head = [
        mido.MetaMessage("time_signature", numerator=3, denominator=4),
        mido.MetaMessage("set_tempo", tempo=mido.bpm2tempo(150)),
        mido.MetaMessage("marker", text="Verse"),
    ]
    names = [mido.MetaMessage("marker", text=text, time=time) for text, time in (("Am7", 0), ("D7", 1440), ("G", 960))]
    yamaha = mido.MetaMessage("sequencer_specific", data=(0x43, 0x7B, 0x01, 0x22, 0x08, 0x22, 0x7F), time=480)
    chart = read(midi([*head, *names, yamaha, mido.MetaMessage("end_of_track", time=1440)]))
    assert played(chart) == "Am7 | D7 . G | Dbm"
    assert sections(chart) == [("Verse", 3)] and chart.tempo_bpm == 150


def test_midi_notes_are_heard_as_chords() -> None:
    track = []
    for pitches in ([57, 60, 64, 67], [50, 54, 57, 60], [43, 59, 62, 66], [48, 52, 55, 59]):
        track += [mido.Message("note_on", note=pitch, velocity=80) for pitch in pitches]
        track += [mido.Message("note_off", note=pitch, time=0 if n else 1920) for n, pitch in enumerate(pitches)]
    chart = read(midi(track))
    assert played(chart) == "Am7 | D7 | Gmaj7 | Cmaj7" and "guessed" in chart.remarks[0]


@pytest.mark.parametrize("suffix", [".mgu", ".mscz", ".gp5", ".pdf"])
def test_formats_that_are_not_read_are_told_what_to_save_instead(suffix: str) -> None:
    with pytest.raises(ChartError, match="save it as MusicXML"):
        read(b"anything", suffix)

"""Out of distribution: the grooves of another arranger, Debian's `mma`, as a lead that nobody here wrote.

It is a program beside the tests, and only that: nothing of it is in the project, trains anything or is kept. Where it
is not installed (`apt install mma`) this is skipped. Slow: 18 songs of about 45 s, rendered by our synthesiser, heard
by the shipped listener and conductor, and judged; to seven of them the shipped band plays along.
`pytest -m slow -s tests/training/band/test_other_arranger.py` prints all figures.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("librosa")
pytest.importorskip("mir_eval")
midi = pytest.importorskip("tinysoundfont.midi")

RATE_HZ, FRAME_S, BARS = 32_000, 0.04, 24
GROOVES = (  # name, bpm, beats in a bar
    ("8Beat", 112, 4), ("BasicRock", 124, 4), ("SoftRock", 96, 4), ("RockBallad", 76, 4), ("PopBallad", 84, 4),
    ("Folk", 104, 4), ("FolkRock", 116, 4), ("CountryBlues", 92, 4), ("CountrySwing", 126, 4), ("Bossanova", 128, 4),
    ("Swing", 144, 4), ("Slowblues", 66, 4), ("DSoul", 100, 4), ("BVFunk", 98, 4), ("ChaCha", 120, 4),
    ("Rhumba", 108, 4), ("JazzWaltz", 140, 3), ("Waltz", 112, 3),
)  # fmt: skip
PRESETS = {
    "BasicRock": "rock", "SoftRock": "rock", "Folk": "folk_strum", "CountryBlues": "blues_shuffle",
    "Bossanova": "bossa_nova", "Swing": "swing", "BVFunk": "funk",
}  # fmt: skip
CHART = ((0, ""), (9, "m"), (5, ""), (7, "7"), (4, "m"), (9, "m"), (2, "m7"), (7, "7"))
KINDS = {"": (0, 4, 7), "m": (0, 3, 7), "7": (0, 4, 7, 10), "m7": (0, 3, 7, 10)}
NAMES = ("C", "Db", "D", "Eb", "E", "F", "Gb", "G", "Ab", "A", "Bb", "B")
BASSES = range(32, 40)
DRUMS = 9


def played(folder: Path, groove: str, bpm: int, key: int) -> list[Any]:
    """The MIDI events of BARS bars."""
    bars = [f"{NAMES[(key + root) % 12]}{kind}" for root, kind in CHART] * (BARS // len(CHART))
    lines = [f"Tempo {bpm}", f"Groove {groove}", *(f"{number} {bar}" for number, bar in enumerate(bars, 1))]
    (folder / "song.mma").write_text("\n".join(lines) + "\n")
    command = ["mma", "-w", str(folder / "song.mma"), "-f", str(folder / "song.mid")]
    subprocess.run(command, check=True, capture_output=True, timeout=120, cwd=folder)
    events: list[Any] = midi.load(str(folder / "song.mid"))
    return events


def notes_of(events: list[Any]) -> dict[tuple[str, int], list[tuple[float, float, int, int]]]:
    """(start_s, end_s, pitch, velocity) of each part and program: drums, bass, and lead for all that comps."""
    found: dict[tuple[str, int], list[tuple[float, float, int, int]]] = {}
    programs: dict[int, int] = {}
    sounding: dict[tuple[int, int], tuple[float, int]] = {}
    for event in events:
        action, channel = event.action, event.channel
        if isinstance(action, midi.ProgramChange):
            programs[channel] = action.program
        elif isinstance(action, (midi.NoteOn, midi.NoteOff)):
            program = 0 if channel == DRUMS else programs.get(channel, 0)
            part = "drums" if channel == DRUMS else "bass" if program in BASSES else "lead"
            if (channel, action.key) in sounding:
                start_s, velocity = sounding.pop((channel, action.key))
                found.setdefault((part, program), []).append((start_s, event.t, action.key, velocity))
            if isinstance(action, midi.NoteOn) and action.velocity > 0:
                sounding[channel, action.key] = (event.t, action.velocity)
    return found


def rendered(folder: Path, groove: str, bpm: int, metre: int, key: int) -> Any:
    """The groove as a song of ours: the comping parts are its lead, bass and drums its band."""
    from gigmate.training.sound import soundfont_synth
    from gigmate.training.sound.render import TARGET_DB, RenderedSong, _level

    beat_s = 60.0 / bpm
    frames = int(BARS * metre * beat_s / FRAME_S)
    stems = {part: np.zeros(frames * 1280, np.float32) for part in ("drums", "bass", "keys", "lead")}
    hits: list[float] = []
    for (part, program), notes in notes_of(played(folder, groove, bpm, key)).items():
        stems[part] += soundfont_synth.render_events(
            notes, program, drums=part == "drums", length_samples=frames * 1280, rate_hz=RATE_HZ
        )
        hits += [note[0] for note in notes] if part == "lead" else []
    for part in ("drums", "bass", "lead"):
        stems[part] = _level(stems[part], RATE_HZ, TARGET_DB[part])
    beat = np.arange(frames) * FRAME_S / beat_s
    bar = (beat // metre).astype(int) % len(CHART)
    pcs = np.zeros((len(CHART), 12), bool)
    for row, (root, kind) in enumerate(CHART):
        pcs[row, [(key + root + step) % 12 for step in KINDS[kind]]] = True
    labels = {
        "beats_s": np.arange(BARS * metre) * beat_s,
        "downbeats_s": np.arange(BARS) * metre * beat_s,
        "tempo_bpm": np.full(frames, bpm, np.float32),
        "beat_phase": beat % 1.0,
        "chord_root": np.array([(key + root) % 12 for root, _ in CHART])[bar],
        "chord_pcs": pcs[bar],
        "key": np.full(frames, key),
        "minor": np.zeros(frames, bool),
        "part_active": np.ones((frames, 3), bool),
        "onsets_lead_s": np.unique(hits),
    }
    meta = {"bpm": bpm, "style": groove, "lead_mode": "comped", "metre": f"{metre}/4"}
    return RenderedSong(0, RATE_HZ, {**stems, "lead_clean": stems["lead"]}, labels, meta)


needs_mma = pytest.mark.skipif(shutil.which("mma") is None, reason="no mma here: apt install mma")


@needs_mma
@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_the_judges_and_the_listener_hold_on_anothers_grooves(tmp_path: Path) -> None:
    from gigmate.cli.eval.eval_listener import evaluate_song
    from gigmate.cli.listen_stream import ListeningPlayer
    from gigmate.training.evaluate.part_fit import chroma_at, for_judges, in_chord
    from gigmate.training.sound.label_judge import beats, harmony

    ear, rows = ListeningPlayer(), []
    shown = ("beat_f", "downbeat_f", "octave_error", "off_beat_f", "root_share", "chord_share", "chord_share_settled")
    print("\ngroove | judge beat F, lag ms, chord, bass inside | listener", *shown, "librosa beat F", sep=" | ")
    for number, (groove, bpm, metre) in enumerate(GROOVES):
        song = rendered(tmp_path, groove, bpm, metre, number * 5 % 12)
        mix = song.stems["lead"] + song.stems["bass"] + song.stems["drums"]
        chroma = chroma_at(for_judges(song.stems["bass"], RATE_HZ), len(song.labels["chord_root"]))
        row = {
            **evaluate_song(ear, song),
            **{f"judge_{name}": value for name, value in {**beats(mix, song), **harmony(song)}.items()},
            "judge_bass_inside": in_chord(chroma, song.labels["chord_pcs"]),
        }
        rows.append(row)
        judged = ("judge_beat_f", "judge_beat_lag_ms", "judge_chord_agree", "judge_bass_inside")
        print(groove, *(f"{row[name]:.2f}" for name in (*judged, *shown, "librosa_beat_f")), sep=" | ", flush=True)
    print("mean", *(f"{np.nanmean([row[name] for row in rows]):.3f}" for name in (*judged, *shown, "librosa_beat_f")))

    def median(name: str) -> float:
        return float(np.nanmedian([row[name] for row in rows]))

    assert median("judge_beat_f") > 0.85
    assert abs(median("judge_beat_lag_ms")) < 15
    assert median("judge_chord_agree") > 0.85
    assert median("beat_f") > 0.75
    assert median("chord_share") > 0.5


@needs_mma
@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_the_band_follows_anothers_grooves(tmp_path: Path) -> None:
    """Each take beside itself judged by the truth of another song: what a band that does not listen would reach."""
    from gigmate import Band
    from gigmate.training.evaluate.take_scores import Truth, at_judges_rate, score

    band, takes, truths = Band.load(), [], []
    for number, (groove, bpm, metre) in enumerate(GROOVES):
        if groove in PRESETS:
            song = rendered(tmp_path, groove, bpm, metre, number * 5 % 12)
            music = band.accompany(song.stems["lead"], RATE_HZ, preset=PRESETS[groove])
            takes.append(at_judges_rate({part: sound.mean(axis=1) for part, sound in music.parts.items()}, RATE_HZ))
            truths.append(Truth.of(song, song.seconds))
    names = ("drums_beat_f", "mix_beat_f", "mix_lag_ms", "bass_in_chord", "keys_in_chord", "bass_in_key", "keys_in_key")
    print("\ngroove", *names, "each: right / of another song", sep=" | ")
    gaps = []
    for i, groove in enumerate(PRESETS):
        own, other = (score(takes[i], truths[k % len(truths)]) for k in (i, i + 1))
        print(groove, *(f"{own[name]:.2f} / {other[name]:.2f}" for name in names), sep=" | ", flush=True)
        gaps.append([own[name] - other[name] for name in names])
    means = dict(zip(names, np.nanmean(gaps, axis=0), strict=True))
    print("gap, mean", *(f"{means[name]:.2f}" for name in names), sep=" | ")
    assert means["drums_beat_f"] > 0.1
    assert means["bass_in_chord"] > 0.1
    assert means["keys_in_chord"] > 0.1

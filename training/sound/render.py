"""Songs as sound: `render_song` gives aligned stems and exact labels from a seed, and a writer makes shards of many.

Run as `python -m gigmate.training.sound.render --songs N --out DIR --seed S`. Each song becomes one compressed file
`DIR/song-SEED.npz` (SEED: ten digits) that holds

- `stem_lead_clean`, `stem_lead`, `stem_drums`, `stem_bass`, `stem_keys`: int16 [T], mono, `rate_hz` (32000 unless
  said), full scale 32767; `lead` is what a microphone or jack would hear, `lead_clean` the same playing from the synth;
- every name in `sound.labels.FRAME_LABELS`, one row per 40 ms frame (25 a second; T is a whole number of frames);
- every name in `sound.labels.EXACT_LABELS`: float64 seconds;
- `meta`: a JSON string with seed, split, style, style_id, bpm, key, minor, metre, swing, lead_mode, programs,
  rate_hz, font, fonts (per part), tuning_cents.

Files are written whole (to a temporary name, then renamed), so a reader may watch the folder. `load_song` reads
one back.
Knows no models. A process renders one song at a time; run several processes for several cores. Not for threads.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ...files.json_text import json_text
from ..band import splits
from ..band.arrange import write_song
from ..band.players.answers import answered
from ..band.players.lead import GUITARS
from ..band.score import (
    ALL_PARTS,
    PARTS,
    Note,
    Score,
)
from ..band.styles import STYLES
from . import (
    augment,
    own_instruments,
    song_labels,
    soundfont_synth,
)

STEMS = ("lead_clean", "lead", *PARTS)
TARGET_DB = {"drums": -22.0, "bass": -20.0, "keys": -20.0, "lead": -20.0}
# How late a note's sound rises after its start, measured on the fonts (drums by key): taken off, so labels are exact.
ONSET_LAG_MS = {"bass": 4.0, "keys": 1.5, "drums": 0.4, "lead": 1.0}
DRUM_LAG_MS = {36: 2.3, 37: 3.3, 38: 2.2, 39: 2.4, 51: 0.8, 54: 2.4, 69: 5.0, 70: 8.0}
TAIL_S = 2.0
PEAK = 0.98
OWN = splits.HELD_SOUND


@dataclass
class RenderedSong:
    """A song as sound. `stems`: float32 [T] each, a whole number of frames; `labels` as in `sound.labels`."""

    seed: int
    rate_hz: int
    stems: dict[str, np.ndarray]
    labels: dict[str, np.ndarray]
    meta: dict[str, Any]
    score: Score | None = None

    @property
    def seconds(self) -> float:
        """Length in seconds."""
        return len(self.stems["lead"]) / self.rate_hz


def render_song(
    seed: int,
    rate_hz: int = 32000,
    split: str = "train",
    *,
    styles: tuple[str, ...] | None = None,
    sound_variety: float = 0.0,
    playing_variety: float = 0.0,
    font: str | None = None,
    seconds: tuple[float, float] = (60.0, 120.0),
    answers: bool = False,
) -> RenderedSong:
    """Writes and renders one song: the same arguments give the same samples. `answers`: the band hears its lead.

    `rate_hz` must make 40 ms a whole number of samples. `styles`, `sound_variety`, `playing_variety` and `seconds` as
    in `band.arrange.write_song`. `font`: a name of `soundfonts.FONTS`, or `own` for our own
    instruments (default: as the split asks).
    Raises ValueError, SoundFontError, SynthError.
    """
    if rate_hz <= 0 or (rate_hz * 1280) % 32000:
        raise ValueError(f"rate_hz must be a multiple of 25, not {rate_hz}")
    score = write_song(seed, split, styles, sound_variety, seconds, playing_variety)
    if answers:
        score = answered(np.random.default_rng([0x616E, splits.SPLITS[split], seed]), score)
    rng = np.random.default_rng([0x7264, splits.SPLITS[split], seed])
    font = font or {"held_font": splits.HELD_FONT, "held_sound": OWN}.get(split, "fluid")
    return render_score(score, rng, rate_hz=rate_hz, split=split, fonts=dict.fromkeys(ALL_PARTS, font))


def stream(seeds: Iterable[int], rate_hz: int = 32000, **options: Any) -> Iterator[RenderedSong]:
    """Songs one after the other without files, for training that eats them as they come. `options`: `render_song`."""
    for seed in seeds:
        yield render_song(seed, rate_hz, **options)


def render_score(
    score: Score,
    rng: np.random.Generator,
    *,
    rate_hz: int = 32000,
    split: str = "train",
    fonts: dict[str, str] | None = None,
) -> RenderedSong:
    """Renders a written song. All randomness of sound (tuning, stage) comes from `rng`."""
    frame_samples = rate_hz * 1280 // 32000
    frames = int(np.ceil((float(score.seconds(score.length_beats)) + TAIL_S) / song_labels.FRAME_S))
    total = frames * frame_samples
    tuning = float(rng.uniform(-30, 30)) if rng.random() < 0.5 else float(rng.normal(0, 4))
    fonts = fonts or dict.fromkeys(ALL_PARTS, "fluid")
    style = STYLES[score.style]
    stems: dict[str, np.ndarray] = {}
    for part in PARTS:
        sound = _part(score, part, total, rate_hz, fonts[part])
        stems[part] = _level(sound, rate_hz, TARGET_DB[part] + style.levels_db[part])
    lead = _part(score, "lead", total, rate_hz, fonts["lead"], tuning)
    stems["lead_clean"] = _level(lead, rate_hz, TARGET_DB["lead"])
    band = stems["drums"] + stems["bass"] + stems["keys"]
    program = score.programs["lead"]
    amp_share = {29: 1.0, 30: 1.0}.get(program, 0.55 if program in GUITARS else 0.15)
    stems["lead"] = augment.live_lead(
        stems["lead_clean"], band, rate_hz, rng, program in GUITARS or program in (4, 5, 16), amp_share
    )
    meta = {
        "seed": score.seed,
        "split": split,
        "style": score.style,
        "style_id": score.style_id,
        "bpm": score.bpm,
        "key": score.key,
        "minor": score.minor,
        "metre": score.metre,
        "swing": round(score.swing, 4),
        "lead_mode": score.lead_mode,
        "programs": score.programs,
        "rate_hz": rate_hz,
        "font": font_of(fonts),
        "fonts": fonts,
        "tuning_cents": round(tuning, 2),
    }
    return RenderedSong(
        score.seed, rate_hz, {k: stems[k] for k in STEMS}, song_labels.label(score, frames), meta, score
    )


def font_of(fonts: dict[str, str]) -> str:
    """The soundfont of a song, own instruments left aside."""
    return next((f for f in fonts.values() if f != OWN), OWN)


def _part(score: Score, part: str, total: int, rate_hz: int, font: str, tuning_cents: float = 0.0) -> np.ndarray:
    def event(note: Note) -> tuple[float, float, int, int]:
        start, end = score.note_seconds(note)
        late_ms = ONSET_LAG_MS[part] if part != "drums" else DRUM_LAG_MS.get(note.pitch, ONSET_LAG_MS[part])
        lag = 0.0 if font == OWN else late_ms / 1000.0
        return start - lag, end - lag, note.pitch, note.velocity

    events = [event(n) for n in score.notes[part]]
    program, drums = score.programs[part], part == "drums"
    if font == OWN:
        return own_instruments.render_events(
            events, program, drums=drums, length_samples=total, rate_hz=rate_hz, tuning_cents=tuning_cents
        )
    return soundfont_synth.render_events(
        events, program, drums=drums, length_samples=total, rate_hz=rate_hz, font=font, tuning_cents=tuning_cents
    )


def _level(sound: np.ndarray, rate_hz: int, target_db: float) -> np.ndarray:
    """Brings a part to a level (of its sounding stretches); peaks above full scale are bent, not cut."""
    have = augment.active_rms_db(sound, rate_hz)
    if have < -120.0:
        return sound.astype(np.float32)
    out = sound * np.float32(10.0 ** ((target_db - have) / 20.0))
    knee = 0.7
    over = np.abs(out) > knee
    if over.any():
        room = PEAK - knee
        out[over] = np.sign(out[over]) * (knee + room * np.tanh((np.abs(out[over]) - knee) / room))
    return out.astype(np.float32)


def song_path(out: Path, seed: int) -> Path:
    """The file that holds song `seed` in folder `out`."""
    return out / f"song-{seed:010d}.npz"


def save_song(song: RenderedSong, path: Path) -> None:
    """Writes one shard (see the top of this file), whole or not at all."""
    arrays: dict[str, Any] = {
        f"stem_{k}": np.round(np.clip(v, -1, 1) * 32767.0).astype(np.int16) for k, v in song.stems.items()
    }
    arrays.update(song.labels)
    arrays["meta"] = np.array(json_text(song.meta))
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with temporary.open("wb") as file:
        np.savez_compressed(file, **arrays)
    temporary.replace(path)


def load_song(path: Path) -> RenderedSong:
    """Reads a shard back: stems as float32 in -1..1. Raises OSError or ValueError for a file that is not one."""
    with np.load(path, allow_pickle=False) as data:
        if "meta" not in data:
            raise ValueError(f"{path} is not a rendered song: it holds no 'meta'")
        meta = json.loads(str(data["meta"]))
        stems = {k: data[f"stem_{k}"].astype(np.float32) / 32767.0 for k in STEMS}
        names = (*song_labels.FRAME_LABELS, *song_labels.EXACT_LABELS)
        return RenderedSong(meta["seed"], meta["rate_hz"], stems, {n: data[n] for n in names}, meta)


def save_flac(song: RenderedSong, folder: Path) -> None:
    """Writes a song as a folder of 24-bit FLAC stems, `song_labels.npz` and `meta.json`, whole or not at all."""
    import soundfile

    temporary = folder.with_name(f".{folder.name}.{os.getpid()}.tmp")
    temporary.mkdir(parents=True, exist_ok=True)
    for name, sound in song.stems.items():
        soundfile.write(temporary / f"{name}.flac", np.clip(sound, -1, 1), song.rate_hz, subtype="PCM_24")
    np.savez_compressed(temporary / "labels.npz", **song.labels)  # type: ignore[arg-type]
    (temporary / "meta.json").write_text(json_text(song.meta, indent=1), encoding="utf-8")
    temporary.replace(folder)


def render_many(
    seeds: range, out: Path, *, workers: int = 1, rate_hz: int = 32000, flac: bool = False, **options: Any
) -> Iterator[str]:
    """Renders songs to `out`, one process a core for `workers` > 1, and says each when it is written (any order).

    `options` as in `render_song`. Songs already there are kept and not said. The first error ends it.
    """
    out.mkdir(parents=True, exist_ok=True)
    todo = [s for s in seeds if not (song_path(out, s).with_suffix("") if flac else song_path(out, s)).exists()]
    if workers == 1:
        for seed in todo:
            yield _render_to(out, seed, rate_hz, flac, options)
        return
    # Fresh processes: a forked one would share the synthesiser's and torch's native state.
    with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn")) as pool:
        futures = [pool.submit(_render_to, out, seed, rate_hz, flac, options) for seed in todo]
        try:
            for future in as_completed(futures):
                yield future.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _render_to(out: Path, seed: int, rate_hz: int, flac: bool, options: dict[str, Any]) -> str:
    song = render_song(seed, rate_hz, **options)
    path = song_path(out, seed)
    if flac:
        path = path.with_suffix("")
        save_flac(song, path)
    else:
        save_song(song, path)
    meta = song.meta
    return f"{path.name}: {song.seconds:.0f} s, {meta['style']}, {meta['bpm']:.0f} bpm, lead {meta['lead_mode']}"


def main(argv: list[str] | None = None) -> int:
    """Writes shards for seeds `--seed` .. `--seed` + `--songs` - 1; those already there are kept."""
    parser = argparse.ArgumentParser(
        prog="python -m gigmate.training.sound.render", description="Render made songs to shards."
    )
    parser.add_argument("--songs", type=int, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--rate", type=int, default=32000)
    parser.add_argument("--split", choices=tuple(splits.SPLITS), default="train")
    parser.add_argument("--style", action="append", help="only this style; may be repeated")
    parser.add_argument("--sound-variety", type=float, default=0.0)
    parser.add_argument("--playing-variety", type=float, default=0.0)
    parser.add_argument("--workers", type=int, default=1)
    chosen = parser.parse_args(argv)
    for line in render_many(
        range(chosen.seed, chosen.seed + chosen.songs), chosen.out, workers=chosen.workers, rate_hz=chosen.rate,
        split=chosen.split, styles=tuple(chosen.style) if chosen.style else None, sound_variety=chosen.sound_variety,
        playing_variety=chosen.playing_variety,
    ):  # fmt: skip
        print(line, flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

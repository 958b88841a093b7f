"""The sound of a lead that people play: one of several fonts or synthesisers, pedals, an amplifier, a room.

Knows no rhythm. A process renders one song at a time.
"""

from __future__ import annotations

import numpy as np

from ..band.score import PARTS, Score
from ..sound import augment, pedals, song_labels, soundfont_synth
from ..sound.render import ONSET_LAG_MS, TAIL_S, RenderedSong

FONTS = {"fluid": 0.55, "musescore": 0.45}
"""By share; csound's bank is kept for judging."""
DRY_SHARE = 0.25
"""Of songs, that are the instrument alone: no pedals, no room, nothing of a stage."""
ELECTRIC = (2, 4, 6, 7, *range(16, 20), *range(26, 40), *range(80, 96))
DRIVEN = (29, 30)


def render_lead(score: Score, rate_hz: int = 32000) -> RenderedSong:
    """Renders a song that has a lead alone; the parts are silent. All chance comes from the score's seed."""
    rng = np.random.default_rng([0x6C73, score.seed])
    frame_samples = rate_hz * 1280 // 32000
    frames = int(np.ceil((float(score.seconds(score.length_beats)) + TAIL_S) / song_labels.FRAME_S))
    total = frames * frame_samples
    program = score.programs["lead"]
    font = str(rng.choice(list(FONTS), p=list(FONTS.values())))
    tuning_cents = float(rng.uniform(-50, 50)) if rng.random() < 0.4 else float(rng.normal(0, 4))
    lag_s = ONSET_LAG_MS["lead"] / 1000.0
    events = []
    for note in score.notes["lead"]:
        start, end = score.note_seconds(note)
        events.append((start - lag_s, end - lag_s, note.pitch, note.velocity))
    clean = soundfont_synth.render_events(
        events, program, drums=False, length_samples=total, rate_hz=rate_hz, font=font, tuning_cents=tuning_cents
    )
    clean = clean * np.float32(10.0 ** ((-20.0 - max(augment.active_rms_db(clean, rate_hz), -120.0)) / 20.0))
    lead = clean
    dry = rng.random() < DRY_SHARE and score.lead_mode != "power"
    if not dry:
        driven = (program in DRIVEN and rng.random() < 0.7) or (score.lead_mode == "power" and rng.random() < 0.9)
        lead = pedals.board(clean, rate_hz, rng, 60.0 / score.bpm, driven, program in ELECTRIC)
        lead = augment.live_lead(lead, np.zeros_like(lead), rate_hz, rng, program in ELECTRIC and not driven, 0.4)
    else:
        lead = lead * np.float32(10.0 ** (rng.uniform(-12, 6) / 20.0))
    stems = {"lead_clean": clean, "lead": np.clip(lead, -1.0, 1.0)}
    stems |= {part: np.zeros(total, np.float32) for part in PARTS}
    meta = {
        "seed": score.seed, "split": "train", "style": score.style, "style_id": score.style_id, "bpm": score.bpm,
        "key": score.key, "minor": score.minor, "metre": score.metre, "swing": round(score.swing, 4),
        "lead_mode": score.lead_mode, "programs": score.programs, "rate_hz": rate_hz, "font": font,
        "fonts": {"lead": font}, "tuning_cents": round(tuning_cents, 2),
    }  # fmt: skip
    return RenderedSong(score.seed, rate_hz, stems, song_labels.label(score, frames), meta, score)

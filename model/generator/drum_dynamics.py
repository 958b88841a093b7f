"""Drum dynamics: a gain that rises with each written hit and falls between hits.

The generator decides on a hit first and then draws its sound, and that sound is blunt: kicks and back-beats come out
too soft, and what rang before them too loud, so that the off-beats of a tambourine or a brush stood out and the band
seemed half a beat away. Knows no weights; tensors in and out, TorchScript reads it. Inference thread only.
"""

from __future__ import annotations

import math
from typing import Dict, List

import torch
from torch import Tensor, nn

from .score_tokens import FIRST_NOTE, ONSET_QUARTERS, STATE
from .steering_tables import ATTACK_S, FULL_DB, KNEE, RING_S, entry_tables, style_tables


class DrumDynamics(nn.Module):
    """One song's gain of the drums for each frame. Its state lies in the generator's, under "drum_dynamics.".

    One thread at a time.
    """

    def __init__(self, styles: list[str], drummer: int, frame_rate_hz: float, frame_samples: int) -> None:
        """`drummer` is the drums' row among the parts; -1: there are none, and nothing is changed."""
        super().__init__()
        self.drummer = drummer
        self.hits = nn.Buffer(torch.from_numpy(entry_tables().hits), persistent=False)
        self.levels_db = nn.Buffer(torch.from_numpy(style_tables(styles, []).hit_levels_db), persistent=False)
        passed = torch.arange(frame_samples // ONSET_QUARTERS) + 1.0
        self.glide = nn.Buffer(passed / len(passed), persistent=False)
        self.attack = nn.Buffer((passed / (ATTACK_S * frame_rate_hz * frame_samples)).clamp(max=1.0), persistent=False)
        # TorchScript sees no globals
        self.ring_share = 1.0 - math.exp(-1.0 / (ONSET_QUARTERS * frame_rate_hz * RING_S))
        self.full_db, self.knee = FULL_DB, KNEE
        self.quarters, self.state, self.first_note = ONSET_QUARTERS, STATE, FIRST_NOTE

    @torch.jit.export
    def init_state(self, songs: int) -> Dict[str, Tensor]:
        """Zeros: the gain that was reached in dB, and what was struck in the last quarter."""
        return {"drum_dynamics.gain_db": torch.zeros(songs, device=self.glide.device),
                "drum_dynamics.late": torch.zeros(songs, dtype=torch.int64, device=self.glide.device)}  # fmt: skip

    def forward(self, audio: Tensor, slots: Tensor, style: int, state: Dict[str, Tensor]) -> Tensor:
        """Audio [parts, frame] of the frame with these slots [parts, SLOTS], the drums with the gain."""
        if self.drummer < 0:
            return audio
        levels_db = self.levels_db[style]
        gain_db, late = float(state["drum_dynamics.gain_db"]), int(state["drum_dynamics.late"])
        begins = int(slots[self.drummer, self.state])
        struck = int(self.hits[max(0, int(slots[self.drummer, self.first_note]))])
        pieces: List[Tensor] = []
        length = self.glide.shape[0]
        for quarter in range(self.quarters):
            # the decoder is a quarter late: a hit of the last one sounds in the next frame
            hit = late if quarter == 0 else struck if begins == quarter else 0
            # a kick is loudest a little after its beginning
            peak = float(audio[self.drummer, quarter * length : (quarter + 2) * length].abs().max())
            room_db = max(0.0, self.full_db - 20.0 * math.log10(peak + 1e-6))
            now_db = float(levels_db[hit])
            if hit == 0:
                now_db = gain_db + (now_db - gain_db) * self.ring_share
            now_db = min(now_db, room_db)
            pieces.append(gain_db + (now_db - gain_db) * (self.attack if hit > 0 else self.glide))
            gain_db = now_db
        state["drum_dynamics.gain_db"].fill_(gain_db)
        state["drum_dynamics.late"].fill_(struck if begins == self.quarters else 0)
        touched = audio.clone()
        drums = audio[self.drummer] * torch.pow(10.0, torch.cat(pieces) / 20.0)
        over = (drums.abs() - self.knee).clamp(min=0.0)
        bent = (1.0 - self.knee) * torch.tanh(over / (1.0 - self.knee))
        touched[self.drummer] = drums - drums.sign() * (over - bent)
        return touched

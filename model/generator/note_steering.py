"""Steers the notes: biases on the draws for density, note length, loudness and fills.

The arranger that taught the generator wrote as many notes at any density, and a band that takes its own past for a
model falls silent, or lies on a chord, for as long as it likes. So here is counted what was played against what the
style usually plays (style_statistics.py), and what is owed makes beginnings or ends a little likelier: slowly, within
bounds, and where the generator itself sees a chance. Deterministic: the same sound, moments and seed give the same
band. Knows no weights; tensors in and out, TorchScript reads it. Inference thread only.
"""

from __future__ import annotations

import math
from typing import Dict, NamedTuple

import torch
from torch import Tensor, nn

from ...dsp.features import FeatureSpec
from .drum_dynamics import DrumDynamics
from .score_tokens import (
    FIRST_NOTE,
    LOUDNESS,
    ONSET_QUARTERS,
    SLOT_ENTRIES,
    STATE,
)
from .steering_tables import (
    DENSITY_NATS,
    DENSITY_OCTAVES,
    FALL_S,
    FASTEST_FILL_FRAMES,
    FILL_NATS,
    FOLLOW_SHARE,
    GAP_S,
    HOLD_LONGER_NATS,
    HOLD_NATS,
    HOLD_SHORTER_NATS,
    LEAST_FILL_BEATS,
    LEAST_NOTE_BEATS,
    LOUD_HITS_NATS,
    LOUDER_DB,
    LOUDNESS_NATS_PER_DB,
    MEMORY_BEATS,
    NEAR_DB,
    PUSH_DOWN_NATS,
    PUSH_DOWN_ON_BEAT_NATS,
    PUSH_NATS,
    PUSH_UP_NATS,
    REST_S,
    RISE_S,
    SILENT_BELOW_DB,
    SILENT_LEVEL_DB,
    SLOW_S,
    SOFTER_DB,
    STEERED,
    SURE_S,
    TOM_NATS,
    entry_tables,
    style_tables,
)


class Steer(NamedTuple):
    """What a frame's draw is bent by; rows are songs times parts.

    `pull` [N]: nats by which notes outside the chord are less likely; below 0 the row has hits and not notes. `push`
    [N]: nats by which beginnings are likelier (below 0: less likely), where the generator sees a chance of one.
    `bias` [N, STEERED, slot_entries] is added to the logits of state, loudness and first note as it is. Any thread.
    """

    pull: Tensor
    push: Tensor
    bias: Tensor


def no_steer(pull: Tensor, slot_entries: int = SLOT_ENTRIES) -> Steer:
    """Nothing but the pull [N] toward the chord."""
    return Steer(pull, torch.zeros_like(pull), torch.zeros(pull.shape[0], STEERED, slot_entries, device=pull.device))


class Steering(nn.Module):
    """One song's `Steer` for each frame. Its state lies in the generator's, under "steer.". One thread at a time."""

    def __init__(
        self, parts: list[str], styles: list[str], pull: Tensor, frame_rate_hz: float, frame_samples: int
    ) -> None:
        super().__init__()
        self.parts, self.frame_rate_hz = len(parts), frame_rate_hz
        self.pull = nn.Buffer(pull, persistent=False)
        self.hits = nn.Buffer((pull < 0.0).float(), persistent=False)
        by_style, by_entry = style_tables(styles, parts), entry_tables()
        self.usual = nn.Buffer(torch.from_numpy(by_style.usual), persistent=False)
        self.share = nn.Buffer(torch.from_numpy(by_style.share), persistent=False)
        self.triplets = nn.Buffer(torch.from_numpy(by_style.triplets), persistent=False)
        self.fill_voices = nn.Buffer(torch.from_numpy(by_entry.fill_voices), persistent=False)
        self.toms = nn.Buffer(torch.from_numpy(by_entry.toms), persistent=False)
        self.crash: Tensor = nn.Buffer(torch.from_numpy(by_entry.crash), persistent=False)
        self.classes = nn.Buffer(torch.from_numpy(by_entry.classes), persistent=False)
        self.rise = nn.Buffer((torch.arange(frame_samples) + 1.0) / frame_samples, persistent=False)
        drummer = next((row for row, nats in enumerate(pull.tolist()) if nats < 0.0), -1)
        self.drum_dynamics = DrumDynamics(styles, drummer, frame_rate_hz, frame_samples)
        # TorchScript sees no globals
        self.quarters = ONSET_QUARTERS
        self.memory_beats = MEMORY_BEATS
        self.density_octaves = DENSITY_OCTAVES
        self.push_nats = PUSH_NATS
        self.push_up_nats = PUSH_UP_NATS
        self.push_down_nats = PUSH_DOWN_NATS
        self.push_down_on_beat_nats = PUSH_DOWN_ON_BEAT_NATS
        self.density_nats = DENSITY_NATS
        self.hold_nats = HOLD_NATS
        self.hold_shorter_nats = HOLD_SHORTER_NATS
        self.hold_longer_nats = HOLD_LONGER_NATS
        self.least_note_beats = LEAST_NOTE_BEATS
        self.fill_nats = FILL_NATS
        self.fastest_fill_frames, self.least_fill_beats = FASTEST_FILL_FRAMES, LEAST_FILL_BEATS
        self.tom_nats, self.loud_hits_nats, self.loudness_nats_per_db = TOM_NATS, LOUD_HITS_NATS, LOUDNESS_NATS_PER_DB
        self.mel_size = FeatureSpec().sub_frames * FeatureSpec().mel_bins
        self.silent_level_db, self.silent_below_db = SILENT_LEVEL_DB, SILENT_BELOW_DB
        self.gap_s, self.rest_s, self.near_db = GAP_S, REST_S, NEAR_DB
        self.rise_s, self.fall_s, self.slow_s, self.sure_s = RISE_S, FALL_S, SLOW_S, SURE_S
        self.louder_db, self.softer_db = LOUDER_DB, SOFTER_DB
        self.follow_share = FOLLOW_SHARE
        self.steered = STEERED
        self.first_note = FIRST_NOTE
        self.loudness = LOUDNESS
        self.state = STATE

    @torch.jit.export
    def init_state(self, songs: int) -> Dict[str, Tensor]:
        """Zeros: nothing is owed. "owed" and "held" are leaky sums over the last beats of wanted less played
        beginnings, and of sounding less usual time; "age" is beats since the last beginning."""
        state: Dict[str, Tensor] = {}
        for name in ("owed", "held", "age"):
            state["steer." + name] = torch.zeros(songs * self.parts, device=self.usual.device)
        state["steer.fill"] = torch.zeros(songs, device=self.usual.device)
        state["steer.gain_db"] = torch.zeros(songs, device=self.usual.device)
        state["steer.levels"] = torch.zeros(songs * 4, device=self.usual.device)
        state["steer.style"] = torch.zeros(songs, dtype=torch.int64, device=self.usual.device)
        state.update(self.drum_dynamics.init_state(songs))
        return state

    def forward(self, moment: Tensor, style: Tensor, busier: Tensor, free: Tensor, state: Dict[str, Tensor]) -> Steer:
        """`moment` [9] as `LiveBand.play` takes it, style [1]; `busier` and `free` [parts] as in note_hand.py."""
        playing = float(moment[4] * moment[6])
        tempo_bpm, fill = float(moment[2]), float(moment[8] * moment[6])
        density = moment[7] + busier
        owing = playing * free
        beat = tempo_bpm / (60.0 * self.frame_rate_hz)  # of a frame, in beats
        state["steer.style"].copy_(style)
        usual, share = self.usual[style[0]], self.share[style[0]]
        wanted = usual * 2.0 ** (self.density_octaves * (density - 0.5))
        owed, held, age = state["steer.owed"], state["steer.held"], state["steer.age"]
        last = state["tokens"]  # + 1
        state_before = last[:, self.state] - 1
        begun = ((state_before >= 1) & (state_before <= self.quarters)).float()
        sounding = (last[:, self.first_note] > 1).float()
        keep = 1.0 - beat / self.memory_beats
        owed.copy_((owed * keep + wanted * beat - begun) * owing)
        held.copy_((held * keep + (sounding - share) * beat) * owing)
        age.copy_((age + beat) * (1.0 - begun))
        phase = float(moment[0])
        on_beat = min(phase, 1.0 - phase) <= 1.25 * beat
        push = self.push_nats * owed / (self.memory_beats * wanted) + 2.0 * self.density_nats * (density - 0.5)
        push = (
            push.clamp(-(self.push_down_on_beat_nats if on_beat else self.push_down_nats), self.push_up_nats) * playing
        )
        bias = torch.zeros(self.parts, self.steered, self.classes.shape[0], device=push.device)
        shorter = (self.hold_nats * held / self.memory_beats).clamp(-self.hold_longer_nats, self.hold_shorter_nats)
        bias[:, self.state, 0] = shorter * (1.0 - self.hits) * (age >= self.least_note_beats).float()
        bias[:, self.loudness] = self.loudness_nats_per_db * self.dynamics_db(state) * self.classes
        self._fill(moment, style, fill, beat, state, bias)
        return Steer(self.pull, push, bias)

    def _fill(
        self,
        moment: Tensor,
        style: Tensor,
        fill: float,
        beat: float,
        state: Dict[str, Tensor],
        bias: Tensor,
    ) -> None:
        """Hits on snare and toms on the lines of the grid, denser and lower toward the bar line, and a crash on it."""
        phase, left = float(moment[0]), float((1.0 - moment[1]) * moment[3])
        filled = state["steer.fill"]
        beats, line_here = float(filled[0]), left < 0.999 * beat
        crash = beats > 0.0 and (fill <= 0.0 or (line_here and beats >= self.least_fill_beats))
        quarter, voices = -1, self.crash
        if crash:
            quarter = min(3, int(left / beat * 4.0)) if line_here else 0
        elif fill > 0.0:
            lines = 3.0 if float(self.triplets[style[0]]) > 0.0 else 4.0 if left <= 2.0 else 2.0
            while lines > 1.0 and 1.0 / lines < self.fastest_fill_frames * beat:
                lines = lines - 1.0 if lines != 4.0 else 2.0
            ahead = (math.ceil(phase * lines - 1e-4) - phase * lines) / lines
            if ahead < 0.999 * beat:
                quarter = min(3, max(0, int(ahead / beat * 4.0)))
            voices = self.fill_voices + self.toms * (self.tom_nats * (1.0 - min(1.0, left / 3.0)) - 1.0)
        filled.fill_(beats + beat if fill > 0.0 and not crash else 0.0)
        if quarter >= 0:
            bias[:, self.state, 1 + quarter] += self.fill_nats * self.hits
        if crash or fill > 0.0:
            bias[:, self.first_note] += voices * self.hits.unsqueeze(1)
            bias[:, self.loudness] += self.loud_hits_nats * self.hits.unsqueeze(1) * self.classes

    @torch.jit.export
    def hear(self, features: Tensor, state: Dict[str, Tensor]) -> None:
        """Follow how loud the musician is by one feature frame [heard_size] of dsp/features.py."""
        levels = state["steer.levels"]  # quick and slow level (dB over the floor of the features), seconds of each
        power = torch.square(torch.pow(10.0, (features[: self.mel_size] - 1.0) / 0.4)).mean()
        frame_db = float(10.0 * torch.log10(power + 1e-10)) + 100.0
        quick, slow, played_s, silent_s = float(levels[0]), float(levels[1]), float(levels[2]), float(levels[3])
        step_s = 1.0 / self.frame_rate_hz
        silent = frame_db < max(self.silent_level_db, slow - self.silent_below_db)
        silent_s = silent_s + step_s if silent else 0.0
        if silent_s > self.rest_s:
            quick += (slow - quick) * step_s / self.fall_s  # who is gone is no example
        elif played_s == 0.0:
            quick = frame_db
        else:
            now, mean = 10.0 ** (frame_db / 10.0), 10.0 ** (quick / 10.0)
            share = min(1.0, step_s / (self.rise_s if now > mean else self.fall_s))
            quick = 10.0 * math.log10(mean + (now - mean) * share)
        if silent_s <= self.gap_s:
            played_s = min(played_s + step_s, self.slow_s)
            now, mean = 10.0 ** (quick / 10.0), 10.0 ** (slow / 10.0)
            slow = 10.0 * math.log10(mean + (now - mean) * step_s / played_s)
        levels.copy_(torch.tensor([quick, slow, played_s, silent_s]))

    def follow(self, audio: Tensor, slots: Tensor, dynamics_db: Tensor, state: Dict[str, Tensor]) -> Tensor:
        """Audio [parts, frame] of the frame with these slots [parts, SLOTS] at the musician's dynamics [1], gliding
        from the last frame's, and with the drummer's touch."""
        before = state["steer.gain_db"]
        now = self.follow_share * dynamics_db
        gain_db = before + (now - before) * self.rise
        before.copy_(now)
        return self.drum_dynamics(audio * torch.pow(10.0, gain_db / 20.0), slots, int(state["steer.style"]), state)

    def dynamics_db(self, state: Dict[str, Tensor]) -> float:
        """How much louder than of late the musician plays, within bounds; 0 until that is known."""
        levels = state["steer.levels"]
        sure = min(1.0, float(levels[2]) / self.sure_s)
        off_db = float(levels[0] - levels[1])
        off_db = max(0.0, off_db - self.near_db) + min(0.0, off_db + self.near_db)
        return sure * min(self.louder_db, max(-self.softer_db, off_db))

"""The belief in rival readings of the held beat, gathered frame by frame, and when one of them is to take its place.

Knows the held line by what it is told of it, and moves nothing itself. A few readings are weighed in each frame, so
that no frame costs much. Inference thread only.
"""

from __future__ import annotations

import math

import numpy as np

from ...player import Heard
from ...style_priors import StylePrior
from ..conductor_settings import ReadingSettings
from .beat_grid import BeatGrid
from .metrical_readings import (
    DOUBLE,
    HALF_BESIDE,
    HELD,
    ODD_PLACES,
    READINGS,
    EvidenceReader,
    MetricalReading,
    against_style,
    nearest_reading,
)

_NEVER = -30.0  # log likelihood of what the window cannot tell yet


class RivalReadings:
    """Weighs READINGS round after round; `wanted` is the one to change to. Inference thread only."""

    def __init__(self, settings: ReadingSettings, chord_lag_s: float) -> None:
        self._settings = settings
        self._grid = BeatGrid(chord_lag_s)
        self._style: StylePrior | None = None
        self.reset()

    def reset(self) -> None:
        """Forget what was heard."""
        self._grid.reset()
        self._vote = np.zeros(0)
        self._vote_s = 0.0
        self._start_round()
        self.beliefs: dict[MetricalReading, float] = {}
        """Of the last whole round; empty before the first."""
        self.length_s = 0.0
        self._changes = 0
        """How much of what was heard they rest on."""
        self._first_place, self._rounds = HELD, 0

    def _start_round(self) -> None:
        self._reader: EvidenceReader | None = None
        self._weights: list[float] = []

    def expect_style(self, style: StylePrior | None) -> None:
        """The style whose usual tempi count."""
        self._style = style

    def hear(
        self, heard: Heard, begins_at: float, ends_at: float, rate_hz: float, trust: float, bound_hz: float | None
    ) -> None:
        """One frame, from beat `begins_at` of the held line to `ends_at`. `bound_hz`: the tempo asked for."""
        self._grid.hear(heard, begins_at, ends_at, rate_hz)
        frame_s = (ends_at - begins_at) / rate_hz
        self._take_vote(heard, trust * frame_s)
        if self._reader is None:
            if trust < 0.5:
                return
            self._reader = EvidenceReader(
                self._grid, self._settings.window_s, self._vote, rate_hz, self._settings.centre_bpm
            )
        reading = READINGS[len(self._weights)]
        self._weights.append(self._weigh(self._reader, reading, rate_hz, bound_hz))
        if len(self._weights) == len(READINGS):
            self._end_round()

    def _take_vote(self, heard: Heard, heard_s: float) -> None:
        tempo = getattr(heard, "tempo", None)
        if tempo is None or heard_s <= 0:
            return
        votes = np.clip(np.log(np.asarray(tempo, np.float64) * len(tempo) + 0.1), -2.3, 2.5)
        if not len(self._vote):
            self._vote = np.zeros(len(votes))
        self._vote_s += heard_s
        self._vote = self._vote + heard_s / min(self._vote_s, self._settings.vote_memory_s) * (votes - self._vote)

    def _weigh(self, reader: EvidenceReader, reading: MetricalReading, rate_hz: float, bound_hz: float | None) -> float:
        settings, own_hz = self._settings, rate_hz / reading.ratio
        if not settings.lowest_bpm <= own_hz * 60.0 <= settings.highest_bpm:
            return _NEVER
        evidence = reader.read(reading)
        if evidence is None:
            return _NEVER
        weight = evidence.weighed(settings)
        weight -= settings.style_nats * min(against_style(own_hz * 60.0, self._style) / 0.4, 1.0)
        if bound_hz is not None and abs(math.log(own_hz / bound_hz)) > settings.bound_ratio:
            weight += _NEVER
        return weight + (settings.held_nats if reading is HELD else 0.0)

    def _end_round(self) -> None:
        assert self._reader is not None
        self.length_s = self._reader.length_s
        weights = np.array(self._weights)
        shares = np.exp(weights - weights.max())
        shares /= shares.sum()
        self.beliefs = dict(zip(READINGS, shares.tolist(), strict=True))
        best = READINGS[int(weights.argmax())]
        lead = float(weights.max() - weights[0])
        stays = best is HELD or best in ODD_PLACES or lead < self._needed_nats(best)
        if stays or self.length_s < self._settings.least_s:
            self._first_place, self._rounds = HELD, 0
        elif best == self._first_place:
            self._rounds += 1
        else:
            self._first_place, self._rounds = best, 1
        self._start_round()

    def _needed_nats(self, reading: MetricalReading) -> float:
        """By how much it must be ahead. Who has changed once needs more to change again."""
        settings = self._settings
        nats = settings.double_nats if reading == DOUBLE else settings.other_nats
        return nats + settings.again_nats * self._changes

    @property
    def wanted(self) -> MetricalReading | None:
        """The reading that was ahead for so many rounds on end that it is to be followed; None: the held one is."""
        return self._first_place if self._rounds >= self._settings.switch_rounds else None

    def followed(self) -> None:
        """The one that was wanted is held now."""
        self._changes += 1

    def held_share(self, half_nats: float) -> float:
        """Belief that the held reading is the right one, in [0, 1]; `half_nats`: by how much it is likelier than the
        places half a beat beside, judged elsewhere and over longer (0: not judged).

        1 while too little was heard to doubt it, from a listener that has no view of the tempo (half of the evidence is
        missing), and in styles that strike between the beats: what speaks for a beat elsewhere speaks against it there.
        """
        off_beat = self._style is not None and self._style.off_beat
        if self.length_s < self._settings.least_s or not len(self._vote) or off_beat:
            return 1.0
        held, beside = self.beliefs.get(HELD, 1.0), self.beliefs.get(HALF_BESIDE, 0.0)
        return held if half_nats == 0.0 else (held + beside) / (1.0 + math.exp(-half_nats))

    def lead_over(self, reading: MetricalReading) -> float:
        """By how many nats the held one is ahead of another; 0 while nothing is known."""
        if not self.beliefs:
            return 0.0
        return math.log((self.beliefs[HELD] + 1e-9) / (self.beliefs[reading] + 1e-9))

    def doubts(self, ratio: float, phase: float, held_beat: float) -> bool:
        """Whether the held reading is ahead of the one with beats of `ratio` held ones and that phase at `held_beat`.
        False where none is known that is near it."""
        reading = nearest_reading(ratio, phase, held_beat)
        if reading is None or reading == HELD or reading in ODD_PLACES:
            return False
        return self.lead_over(reading) >= self._settings.doubt_nats

    def recount(self, ratio: float, old_beat: float, new_beat: float) -> None:
        """The held line is another from now on, `ratio` old beats to one of its own: see BeatGrid.recount."""
        self._grid.recount(ratio, old_beat, new_beat)
        self._start_round()
        self.beliefs = {}
        self._first_place, self._rounds = HELD, 0

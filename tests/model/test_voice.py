"""The voice: steps equal the whole, notes sound at their pitch, silence is silent, phases run on."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from gigmate.model.codec.mdct_codec import CodecConfig, MdctDecoder
from gigmate.model.generator.score_tokens import (
    FIRST_NOTE,
    LOWEST_NOTE,
    SLOTS,
    STATE,
)
from gigmate.model.voice import Voice, VoiceConfig, VoicedDecoder

SMALL = VoiceConfig(latent=8, channels=16, dilations=(1, 2), note_size=8, harmonics=6)
CODEC = CodecConfig(fine_channels=16, fine_blocks=1, coarse_channels=24, coarse_blocks=1, latent=8)
FRAMES = 40


@pytest.fixture
def voice() -> Voice:
    torch.manual_seed(0)
    return Voice(SMALL).eval()


def slots_of(notes: list[tuple[int, ...]]) -> torch.Tensor:
    """[1, SLOTS, T] of the MIDI notes of each frame."""
    slots = torch.zeros(1, SLOTS, len(notes), dtype=torch.int64)
    for frame, there in enumerate(notes):
        slots[0, STATE, frame] = 6 if there else 0
        for place, note in enumerate(there):
            slots[0, FIRST_NOTE + place, frame] = note - LOWEST_NOTE + 1
    return slots


@torch.no_grad()
def sing(voice: Voice, slots: torch.Tensor) -> np.ndarray:
    frames = slots.shape[2]
    torch.manual_seed(1)
    sound, _ = voice.whole(
        torch.randn(1, 8, frames), slots, torch.zeros(1, dtype=torch.int64), torch.zeros(1, 320, 4 * frames)
    )
    return sound[0].numpy()


@torch.no_grad()
def test_steps_equal_the_whole_for_several_songs(voice: Voice) -> None:
    torch.manual_seed(2)
    decoder = VoicedDecoder(MdctDecoder(CODEC).eval(), voice, ["drums", "bass", "keys"])
    latents = torch.randn(6, 8, FRAMES)
    slots = torch.randint(-1, 9, (6, SLOTS, FRAMES)).repeat_interleave(3, dim=2)[..., :FRAMES]
    whole = decoder.whole(latents, slots)
    state = decoder.init_state(2)
    steps = [decoder.step(latents[..., t : t + 1], slots[..., t : t + 1], state) for t in range(FRAMES)]
    torch.testing.assert_close(torch.cat(steps, dim=1), whole, atol=2e-5, rtol=0)
    assert float(whole.abs().max()) > 0.01


@torch.no_grad()
def test_drums_are_the_codecs_alone(voice: Voice) -> None:
    torch.manual_seed(3)
    plain = MdctDecoder(CODEC).eval()
    decoder = VoicedDecoder(plain, voice, ["drums", "bass", "keys"])
    latents, slots = torch.randn(3, 8, FRAMES), torch.randint(0, 9, (3, SLOTS, FRAMES))
    torch.testing.assert_close(decoder.whole(latents, slots)[0], plain.whole(latents)[0])


@pytest.mark.parametrize("note", [28, 45, 60, 84])
def test_a_note_sounds_at_its_pitch_without_a_seam(voice: Voice, note: int) -> None:
    """The spectrum of a second of one note holds its harmonics and, 40 dB below, nothing else: phases run on."""
    sound = sing(voice, slots_of([(note,)] * FRAMES))[8_000:48_000]
    spectrum = np.abs(np.fft.rfft(sound * np.blackman(len(sound)))) ** 2
    hz = 440.0 * 2 ** ((note - 69) / 12)
    bins = np.arange(len(spectrum)) * 32_000 / len(sound)
    near = np.abs(bins / hz - np.round(bins / hz)) * hz < 6.0
    assert spectrum[near & (bins > hz / 2)].sum() / spectrum.sum() > 0.99


def test_the_past_does_not_hear_the_future(voice: Voice) -> None:
    notes = [(40,), (40,), (45, 52), ()] * 10
    changed = [*notes[:20], *[(60, 64, 67)] * 20]
    a, b = sing(voice, slots_of(notes)), sing(voice, slots_of(changed))
    np.testing.assert_array_equal(a[: 20 * 1280 + 320], b[: 20 * 1280 + 320])
    assert not np.array_equal(a, b)


def test_a_note_that_ends_fades_within_the_next_frame_and_silence_is_silent(voice: Voice) -> None:
    sound = sing(voice, slots_of([(50,)] * 10 + [()] * 10))
    fade, after = sound[10 * 1280 + 320 : 11 * 1280 + 320], sound[11 * 1280 + 320 :]
    assert np.abs(fade).max() > 0 and not after.any()
    assert np.abs(fade[-50:]).max() < 0.05 * np.abs(sound).max()


def test_beginnings_and_ends_do_not_click(voice: Voice) -> None:
    """No step between samples is larger than the steepest that the tones themselves make."""
    sound = sing(voice, slots_of(([(50,)] * 5 + [(55, 62)] * 5 + [()] * 5) * 2))
    top_hz = 440.0 * 2 ** ((62 - 69) / 12) * SMALL.harmonics
    steepest = 2 * math.pi * top_hz / 32_000 * np.abs(sound).max()
    assert np.abs(np.diff(sound)).max() < steepest


def test_harmonics_beyond_the_rate_are_left_out(voice: Voice) -> None:
    sound = sing(voice, slots_of([(127,)] * 20))
    spectrum = np.abs(np.fft.rfft(sound[8000:]))
    assert np.isfinite(sound).all()
    assert spectrum[: int(0.9 * 12_544 / 16_000 * len(spectrum))].max() < 0.02 * spectrum.max()


@torch.no_grad()
def test_the_clock_may_run_for_hours(voice: Voice) -> None:
    """Ten hours on the tone is as clean as in the first second."""
    state = voice.init_state(1)
    state["voice.clock"].fill_(10 * 3600 * 32_000)
    slots = slots_of([(33,)] * FRAMES)
    torch.manual_seed(1)
    sound = voice.step(torch.randn(1, 8, FRAMES), slots, torch.zeros(1).long(), torch.zeros(1, 320, 160), state)[0][0]
    spectrum = np.abs(np.fft.rfft(sound.numpy()[8_000:48_000] * np.blackman(40_000))) ** 2
    bins = np.arange(len(spectrum)) * 0.8
    near = np.abs(bins / 55.0 - np.round(bins / 55.0)) * 55.0 < 6.0
    assert spectrum[near].sum() / spectrum.sum() > 0.99


@torch.no_grad()
def test_a_tuning_bends_the_tones_and_breaks_none(voice: Voice) -> None:
    """From A 440 to A 432 in the middle of a note: no step between samples, and the new pitch after it."""
    state, slots = voice.init_state(1), slots_of([(69,)] * 2 * FRAMES)
    torch.manual_seed(1)
    latents = torch.randn(1, 8, 1).expand(1, 8, 2 * FRAMES)
    sound = []
    for frame in range(2 * FRAMES):
        state["voice.tuning_cents"].fill_(1200 * math.log2(432 / 440) if frame >= FRAMES else 0.0)
        one = slice(frame, frame + 1)
        part, nothing = torch.zeros(1).long(), torch.zeros(1, 320, 4)
        sound.append(voice.step(latents[..., one], slots[..., one], part, nothing, state)[0][0].numpy())
    audio = np.concatenate(sound)
    steepest = 2 * math.pi * 440.0 * SMALL.harmonics / 32_000 * np.abs(audio).max()
    assert np.abs(np.diff(audio)).max() < steepest
    for begin, hz in ((8_000, 440.0), (60_000, 432.0)):
        spectrum = np.abs(np.fft.rfft(audio[begin : begin + 32_000] * np.blackman(32_000)))
        assert abs(float(np.argmax(spectrum[400:480])) + 400 - hz) <= 1.0

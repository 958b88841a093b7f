"""The codec's judges: figures for known errors, the report's files, the verb's requests."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from gigmate.cli import boundary, main
from gigmate.model import checkpoint
from gigmate.model.codec.mdct_codec import CodecConfig, MdctCodec
from gigmate.training.errors import TrainingError
from gigmate.training.evaluate.codec_quality import (
    Sound,
    decoded,
    hit_sharpness,
    roundtrip,
    score_sounds,
    sizes,
    speed,
)
from gigmate.training.trainers import codec_report

RATE_HZ = 32_000
TINY = CodecConfig(
    fine_channels=16, fine_blocks=1, coarse_channels=16, coarse_blocks=1, latent=8, codebooks=5, entries=16
)


@pytest.fixture(scope="module")
def codec() -> MdctCodec:
    torch.manual_seed(0)
    return MdctCodec(TINY).eval().requires_grad_(False)


def hits(attack_ms: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Four decaying tones, half a second apart from .5 s on, and when they start."""
    t = np.arange(3 * RATE_HZ) / RATE_HZ
    audio = np.zeros_like(t)
    onsets_s = np.array([0.5, 1.0, 1.5, 2.0])
    for onset in onsets_s:
        since = t - onset
        rise = np.clip(since / (attack_ms / 1e3), 0, 1) if attack_ms else 1.0
        audio += np.where(since >= 0, 0.5 * np.exp(-since * 20) * np.sin(2 * np.pi * 900 * since) * rise, 0)
    return audio.astype(np.float32), onsets_s


def test_what_smears_a_hit_is_seen() -> None:
    clean, onsets_s = hits()
    same = hit_sharpness(clean, clean, onsets_s, RATE_HZ)
    assert same == {"pre_echo_db": 0.0, "pre_echo_ms": 0.0, "attack_ms": 0.0}
    slow = hit_sharpness(hits(12.0)[0], clean, onsets_s, RATE_HZ)
    assert 3 < slow["attack_ms"] < 15
    early = np.roll(clean, -int(0.010 * RATE_HZ)) * 0.2 + clean
    echo = hit_sharpness(early, clean, onsets_s, RATE_HZ)
    assert echo["pre_echo_ms"] == pytest.approx(10, abs=2)
    assert echo["pre_echo_db"] > 20


def test_the_delay_is_taken_off_and_fewer_codebooks_decode(codec: MdctCodec) -> None:
    audio = hits()[0]
    sound, tokens = roundtrip(codec, audio)
    assert len(sound) == len(audio) // 1280 * 1280 - codec.decode_delay_samples
    assert tokens.shape == (5, len(audio) // 1280)
    assert len(decoded(codec, tokens[:2])) == len(sound) and not np.array_equal(decoded(codec, tokens[:2]), sound)


def test_figures_stand_beside_opus_and_the_untrained(codec: MdctCodec) -> None:
    audio, onsets_s = hits()
    result = score_sounds(codec, [Sound("drums", audio, onsets_s), Sound("bass", audio)], {"half": codec})
    drums = result["stems"]["drums"]
    for prefix in ("", "fewer_", "opus_", "untrained_", "half_"):
        assert math.isfinite(drums[f"{prefix}mel_db"]) and f"{prefix}attack_ms" in drums
    assert drums["half_mel_db"] == drums["mel_db"]
    assert drums["opus_mel_db"] < drums["untrained_mel_db"]
    assert "attack_ms" not in result["stems"]["bass"]
    assert result["bits_per_second"]["sent"] == 25 * 5 * 4
    assert 0 < result["bits_per_second"]["entropy"] <= 500
    assert len(result["codebook_use"]) == 5


def test_size_and_speed_are_positive(codec: MdctCodec) -> None:
    size = sizes(codec)
    assert size["half_mib"] == pytest.approx(2 * sum(v.numel() for v in codec.state_dict().values()) / 2**20)
    assert size["int8_mib"] > 0
    assert all(value > 0 for value in speed(codec, frames=3).values())


def test_the_shipped_codec_is_small_enough() -> None:
    size = sizes(checkpoint.load_codec(checkpoint.SHIPPED / "codec.safetensors"))
    assert size["int8_mib"] < size["half_mib"] <= 16


def test_report_has_its_files(codec: MdctCodec, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    import soundfile

    audio, onsets_s = hits()
    audio = np.tile(audio, 2)
    sounds = {
        split: [Sound(stem, audio, onsets_s if stem == "drums" else None) for stem in ("lead", "drums", "bass", "keys")]
        for split in ("test", "held_sound", "held_font")
    }
    stems = {"drums": {"mel_db": 4.5, "pre_echo_ms": 0.0, "pre_echo_db": -1.0, "attack_ms": None}}
    figures: dict[str, Any] = {
        "stems": stems, "codebook_use": [0.5], "bits_per_second": {"sent": 2000.0, "entropy": 1500.0},
    }  # fmt: skip
    result: dict[str, Any] = {
        "command": "gigmate eval codec", "date": "2026-02-01", "commit": "abc1234",
        "songs": 1, "seconds": 6.0, "against": ["half"], "bits_per_second": 2000.0,
        "splits": {"test": figures}, "sizes": sizes(codec), "speed": speed(codec, frames=2), "load": "load 0.1",
        "curve": [{"step": 399, "minutes": 4.4, "drums_mel_db": 7.4}],
    }  # fmt: skip
    (tmp_path / "codec-ab-11-old.ogg").write_bytes(b"")
    codec_report.write_report(tmp_path, codec, sounds, result)
    pairs = sorted(tmp_path.glob("codec-ab-*.ogg"))
    assert len(pairs) == 10
    assert sum(path.stat().st_size for path in pairs) < 1_500_000
    assert soundfile.info(pairs[0]).duration == pytest.approx(6.4, abs=0.1)
    assert len({path.stem.split("-")[3] for path in pairs}) == 4
    assert (tmp_path / "codec-spectrograms.png").read_bytes().startswith(b"\x89PNG")
    page = (tmp_path / "codec.md").read_text()
    assert "| `gigmate eval codec` | 2026-02-01 | abc1234 |" in page
    assert "missed by drums 4.5 dB" in page and "−1.0" in page and "7.4" in page
    assert all(path.name in page for path in pairs)
    assert json.loads((tmp_path / "codec.json").read_text()) == result


def test_a_curve_may_come_from_an_earlier_report(tmp_path: Path) -> None:
    earlier = tmp_path / "codec.json"
    earlier.write_text('{"curve": [{"step": 399, "minutes": 4.4, "drums_mel_db": 7.4}]}')
    assert codec_report.read_curve(earlier) == [{"step": 399, "minutes": 4.4, "drums_mel_db": 7.4}]
    for broken in ("{}", "[]", "no JSON"):
        earlier.write_text(broken)
        with pytest.raises(TrainingError, match=r"codec\.json"):
            codec_report.read_curve(earlier)


def test_a_curve_needs_a_log(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="no log"):
        codec_report.read_curve(tmp_path)


def test_the_verb(tiny_weights: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["eval", "codec", "--split", "performance", "--seconds", "4", "--weights", str(tiny_weights), "--json"]
    assert boundary.run(main.app, "gigmate", [*arguments, "--against", str(tiny_weights / "codec.safetensors")]) == 0
    result = json.loads(capsys.readouterr().out)
    lead = result["splits"]["performance"]["stems"]["lead"]
    assert lead["codec_mel_db"] == lead["mel_db"]
    assert boundary.run(main.app, "gigmate", ["eval", "codec", "--split", "moon"]) == 2
    assert "held_font" in capsys.readouterr().err

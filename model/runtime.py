"""The band under torch: listener, generator and decoder as one program, eager or TorchScript with int8 weights.

Everything a live frame needs is here as plain tensors in and out; TorchStream gives it the face of band_stream.py. The
eager modules are the reference (tests hold all runtimes together). Compiled programs are cached in the user's cache
directory, keyed by version, weights, torch and processor. torch.jit is deprecated without a removal date: this file
is the only one that knows it.
"""

from __future__ import annotations

import hashlib
import io
import os
import platform
import warnings
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Tuple

import numpy as np
import platformdirs
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from . import checkpoint
from .band_stream import Wanted
from .codec.mdct_codec import MdctCodec, MdctDecoder
from .codec.quantizer import ResidualQuantizer
from .configs import CHORD_PULL, SOUND_TEMPERATURE, STYLE_STRENGTH
from .generator.conditioning import FrameCondition, MomentColumns, chord_features, moment_features
from .generator.note_hand import free_hand
from .generator.note_steering import Steer, Steering
from .generator.sampling import Sampling
from .generator.score_tokens import SLOTS
from .generator.transformer import Generator
from .listener import Listener
from .streaming import State, reset_state
from .voice import Voice, VoicedDecoder

_METHODS = ["init_listen", "init_play", "listen", "hear", "play", "draw", "sound"]


class WantedFrame(NamedTuple):
    """What the next frame is to be, besides what was heard. Any thread."""

    moment: Tensor
    """[9]: beat phase, bar phase, tempo_bpm, beats per bar, playing, confidence, known, density and fill."""
    chord_root: Tensor
    """[1], -1 where no chord is known."""
    chord_pitch_classes: Tensor
    """[12]"""
    style: Tensor
    """[1], as the weights number them."""
    ahead: Tensor
    """[1], in frames."""
    noise: Tensor
    """[parts, places], uniform in [0, 1)."""
    hand: Tensor
    """[parts, STEERED, SLOT_ENTRIES], as the other two in note_hand.py."""
    busier: Tensor
    """[parts]"""
    free: Tensor
    """[parts]"""
    temperature: float
    """Of the notes."""
    top_k: int
    top_p: float


class LiveBand(nn.Module):
    """One frame of listening, one frame of playing. State dictionaries are the caller's. One thread at a time."""

    def __init__(
        self, listener: Listener, generator: Generator, decoder: VoicedDecoder, quantizer: ResidualQuantizer
    ) -> None:
        super().__init__()
        self.listener, self.generator, self.decoder, self.quantizer = listener, generator, decoder, quantizer
        config = generator.config
        pull = torch.tensor([CHORD_PULL.get(part, -1.0) for part in config.parts])
        self.steering = Steering(
            list(config.parts),
            list(config.styles),
            pull,
            float(config.frame_rate_hz),
            decoder.decoder.hop * decoder.voice.sub_frames,
        )
        self.sound_temperature = SOUND_TEMPERATURE
        self.frame_rate_hz = float(generator.config.frame_rate_hz)

    @torch.jit.export
    def init_listen(self, songs: int) -> Dict[str, Tensor]:
        """Fresh state. Sizes must depend on the argument: tensors of constant size would be folded into the program's
        constants, equal ones into one, and every layer and stream would write into the same memory."""
        return self.listener.init_state(songs)

    @torch.jit.export
    def init_play(self, songs: int) -> Dict[str, Tensor]:
        """Fresh state; see `init_listen`."""
        state = self.generator.init_state(songs)
        state.update(self.decoder.init_state(songs))
        state.update(self.steering.init_state(songs))
        return state

    @torch.jit.export
    def listen(self, features: Tensor, state: Dict[str, Tensor]) -> Tensor:
        """Features [heard_size] of the newest frame to the listener's logits [outputs]."""
        return self.listener.step(features.view(1, 1, -1), state)[0, 0]

    @torch.jit.export
    def hear(self, features: Tensor, state: Dict[str, Tensor]) -> Tensor:
        """Features [heard_size] to what the generator makes of them, [1, 1, size]."""
        self.steering.hear(features, state)
        return self.generator.hear(features.view(1, 1, -1), state)

    @torch.jit.export
    def draw(self, heard: Tensor, wanted: WantedFrame, state: Dict[str, Tensor]) -> Tuple[Tensor, Tensor]:
        """Tokens [parts, places] of the next frame, and the musician's dynamics [1] to play it with."""
        moment, style = wanted.moment, wanted.style
        m = moment.view(9, 1, 1)
        columns = MomentColumns(m[0], m[1], m[2], m[3], m[4], m[5], m[6])
        known = (wanted.chord_root >= 0).to(moment.dtype).view(1, 1)
        chord = chord_features(wanted.chord_root.view(1, 1), wanted.chord_pitch_classes.view(1, 1, 12), known)
        features = moment_features(columns, self.frame_rate_hz)
        given = FrameCondition(features, chord, m[7], style, wanted.ahead)
        sampling = Sampling(wanted.noise, wanted.temperature, self.sound_temperature, wanted.top_k, wanted.top_p)
        steer = self.steering(moment, style, wanted.busier, wanted.free, state)
        steer = Steer(steer.pull, steer.push, steer.bias + wanted.hand)
        tokens = self.generator.step(heard, given, sampling, steer, state)
        return tokens, torch.full([style.shape[0]], self.steering.dynamics_db(state))

    @torch.jit.export
    def sound(self, tokens: Tensor, dynamics_db: Tensor, state: Dict[str, Tensor]) -> Tensor:
        """Audio [parts, T * frame] of what was drawn for T frames: tokens [parts, places, T], dynamics [T].

        Frame after frame: int8 maps take their scale from all that they are given, so several frames at once would
        sound otherwise (28 dB below the music) than one by one. Quicker all the same, with the decoder at hand.
        """
        frames: List[Tensor] = []
        for t in range(tokens.shape[2]):
            one = tokens.narrow(2, t, 1)
            slots, codes = one[:, : self.generator.slots], one[:, self.generator.slots :]
            audio = self.decoder.step(self.quantizer.decode(codes), slots, state)
            frames.append(self.steering.follow(audio, slots[:, :, 0], dynamics_db.narrow(0, t, 1), state))
        return torch.cat(frames, dim=1)

    @torch.jit.export
    def play(self, heard: Tensor, wanted: WantedFrame, state: Dict[str, Tensor]) -> Tensor:
        """`draw` and `sound` of one frame: audio [parts, frame]."""
        tokens, dynamics_db = self.draw(heard, wanted, state)
        return self.sound(tokens.unsqueeze(2), dynamics_db, state)


def load_eager(folder: Path) -> tuple[LiveBand, MdctCodec]:
    """The reference: float32 modules, nothing compiled."""
    codec, _ = checkpoint.load(folder / "codec.safetensors", "codec")
    listener, _ = checkpoint.load(folder / "listener.safetensors", "listener")
    generator, _ = checkpoint.load(folder / "generator.safetensors", "generator")
    voice, _ = checkpoint.load(folder / "voice.safetensors", "voice")
    assert isinstance(listener, Listener) and isinstance(generator, Generator) and isinstance(voice, Voice)
    if not isinstance(codec, MdctCodec):
        raise checkpoint.CheckpointError(
            f"{folder}: the voice needs the MDCT codec, and this folder has another: use weights from one training"
        )
    shape = generator.config
    if shape.codebooks > codec.num_codebooks or shape.entries != codec.config.entries:
        raise checkpoint.CheckpointError(
            f"{folder}: the generator writes {shape.codebooks} x {shape.entries} tokens, the codec reads "
            f"{codec.num_codebooks} x {codec.config.entries}: use a codec and a generator from the same training"
        )
    decoder = codec.decoder
    assert isinstance(decoder, MdctDecoder)
    if (voice.config.latent, voice.config.hop) != (codec.config.latent, decoder.hop):
        raise checkpoint.CheckpointError(
            f"{folder}: the voice was not trained with this codec: use weights from one training"
        )
    if shape.heard_size != listener.config.heard_size:
        raise checkpoint.CheckpointError(
            f"{folder}: listener and generator use different features: use weights from one training"
        )
    generator.exaggerate_styles(STYLE_STRENGTH)
    voiced = VoicedDecoder(decoder, voice, list(shape.parts))
    return LiveBand(listener, generator, voiced, codec.quantizer).eval(), codec


def compile_band(band: LiveBand, int8: bool) -> torch.jit.ScriptModule:
    """Quantise the linear maps to int8 (dynamic activations) if asked, script, freeze."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        warnings.simplefilter("ignore", UserWarning)
        if int8:
            band = torch.ao.quantization.quantize_dynamic(band, {nn.Linear}, dtype=torch.qint8)
        scripted = torch.jit.script(band)
        return torch.jit.freeze(scripted, preserved_attrs=_METHODS)


@lru_cache(maxsize=1)
def _sources_id() -> str:
    """A digest of this package's sources: a program that was compiled from others is none of ours."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def cache_path(fingerprint: str, int8: bool) -> Path:
    """Where the compiled program of these weights lies on this machine."""
    base = os.environ.get("GIGMATE_CACHE_DIR") or platformdirs.user_cache_dir("gigmate")
    key = f"{_sources_id()}-{fingerprint}-{'int8' if int8 else 'fp32'}-torch{torch.__version__}-{platform.machine()}"
    return Path(base) / "programs" / f"{key}-{torch.backends.cpu.get_cpu_capability().replace(' ', '')}.ts"


def load_program(folder: Path, fingerprint: str, int8: bool, compiled: bool) -> Any:
    """A LiveBand, eager or compiled (the same methods), from the cache of compiled programs where possible.

    Raises CheckpointError for weights that cannot be used.
    """
    torch.set_num_threads(1)  # two are slower, and streams share the cores
    # the profiling executor recompiles at the second call: half a second of stall on stage
    torch._C._jit_set_profiling_mode(False)
    path = cache_path(fingerprint, int8)
    program: Any = _from_cache(path) if compiled else None
    if program is None:
        program, _ = load_eager(folder)
        if compiled:
            program = _save_and_reload(compile_band(program, int8), path)
    return program


def _from_cache(path: Path) -> torch.jit.ScriptModule | None:
    """The cached program, or None; a damaged entry is removed and made anew."""
    if not path.exists():
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            return torch.jit.load(str(path), map_location="cpu")
    except (RuntimeError, OSError, ValueError):
        path.unlink(missing_ok=True)
        return None


def _save_and_reload(program: torch.jit.ScriptModule, path: Path) -> torch.jit.ScriptModule:
    """The program as it comes back from its file (a fresh one rounds differently), and a cache entry if that can be.

    A read-only or full disk costs the next start some seconds, nothing else; it is said.
    """
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.jit.save(program, buffer)
        buffer.seek(0)
        loaded = torch.jit.load(buffer, map_location="cpu")
    part = path.with_suffix(f".{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(buffer.getbuffer())
        part.replace(path)
    except OSError as error:
        warnings.warn(
            f"the compiled model cannot be cached in {path.parent} ({error}): every start will be slow", stacklevel=2
        )
    return loaded


def torch_streams(program: Any) -> Callable[[], TorchStream]:
    """Makes streams of a loaded program."""
    return lambda: TorchStream(program)


class TorchStream:
    """A LiveBand, eager or compiled, and the state of one stream of it. One thread at a time."""

    def __init__(self, program: Any) -> None:
        self.program = program
        self.listen_state: State = program.init_listen(1)
        self.play_state: State = program.init_play(1)
        self._drawn: list[tuple[Tensor, Tensor]] = []
        self._features: Tensor | None = None
        self._heard: Tensor | None = None

    def prepare_thread(self) -> None:
        torch.set_flush_denormal(True)

    def reset(self) -> None:
        reset_state(self.listen_state)
        self.forget_played()
        self._heard = None

    def forget_played(self) -> None:
        reset_state(self.play_state)
        self._drawn.clear()

    def _own(self, features: NDArray[np.float32]) -> Tensor:
        # copied into torch's own memory: matrix products round differently for differently aligned inputs
        if self._features is None:
            self._features = torch.empty(len(features))
        return self._features.copy_(torch.from_numpy(features))

    @torch.inference_mode()
    def listen(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        logits: NDArray[np.float32] = self.program.listen(self._own(features), self.listen_state).numpy()
        return logits

    @torch.inference_mode()
    def hear(self, features: NDArray[np.float32]) -> None:
        self._heard = self.program.hear(self._own(features), self.play_state)

    @torch.inference_mode()
    def draw(self, wanted: Wanted) -> None:
        if "voice.tuning_cents" in self.play_state:
            self.play_state["voice.tuning_cents"].fill_(wanted.tuning_cents)
        hand = wanted.hand or free_hand(len(wanted.noise))
        tensors = WantedFrame(
            torch.tensor(wanted[:9], dtype=torch.float32),
            torch.tensor([wanted.chord_root]),
            torch.tensor(wanted.chord_pitch_classes, dtype=torch.float32),
            torch.tensor([wanted.style]),
            torch.tensor([wanted.ahead]),
            torch.from_numpy(wanted.noise),
            torch.from_numpy(hand.bias),
            torch.from_numpy(hand.busier),
            torch.from_numpy(hand.free),
            wanted.temperature,
            wanted.top_k,
            wanted.top_p,
        )
        if self._heard is None:
            self._heard = torch.zeros(1, 1, self.play_state_size)
        self._drawn.append(self.program.draw(self._heard, tensors, self.play_state))

    @property
    def play_state_size(self) -> int:
        """Width of what the generator makes of the heard sound."""
        state = self.play_state["layer0.attention.k"]
        return int(state.shape[1] * state.shape[3])

    @torch.inference_mode()
    def sound(self) -> NDArray[np.float32]:
        tokens = torch.stack([tokens for tokens, _ in self._drawn], dim=2)
        dynamics_db = torch.cat([dynamics_db for _, dynamics_db in self._drawn])
        self._drawn.clear()
        audio: NDArray[np.float32] = self.program.sound(tokens, dynamics_db, self.play_state).numpy()
        return audio

    def pass_over(self) -> None:
        self._drawn.clear()

    def recall(self, tokens: NDArray[np.int32]) -> None:
        self.play_state["tokens"].copy_(torch.from_numpy(tokens.astype(np.int64)) + 1)

    def slots(self) -> NDArray[np.int64]:
        slots: NDArray[np.int64] = self.play_state["tokens"][:, :SLOTS].numpy() - 1
        return slots

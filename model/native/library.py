"""The library's functions and structures for ctypes, as source/step.h declares them. Any thread."""

from __future__ import annotations

import ctypes
from ctypes import POINTER, c_char_p, c_double, c_float, c_int32, c_int64, c_void_p
from functools import lru_cache
from pathlib import Path

from .compiler import CompilerError

MAX_BLOCKS, MAX_PARTS = 16, 8


class Array(ctypes.Structure):
    """GigmateArray. Any thread."""

    _fields_ = (("data", c_void_p), ("count", c_int64), ("bytes", c_int64))


class Sizes(ctypes.Structure):
    """GigmateSizes. Any thread."""

    _fields_ = (
        *((name, c_int32) for name in (
            "heard_size", "sub_frames", "listener_channels", "listener_blocks", "listener_kernel", "listener_expand",
            "listener_outputs",
        )),
        ("listener_dilations", c_int32 * MAX_BLOCKS),
        *((name, c_int32) for name in (
            "parts", "styles", "slots", "codebooks", "slot_entries", "entries", "codec_entries", "layers", "size",
            "heads", "hidden", "window", "condition", "heard_channels", "ahead_entries", "depth_layers", "depth_size",
            "depth_heads", "depth_hidden", "latent", "hop", "coarse_channels", "coarse_blocks", "fine_channels",
            "fine_blocks", "voice_channels", "voice_blocks", "note_size", "harmonics", "bands", "sung",
            "sample_rate_hz",
        )),
        ("voice_dilations", c_int32 * MAX_BLOCKS),
        ("sung_rows", c_int32 * MAX_PARTS),
        ("sung_kinds", c_int32 * MAX_PARTS),
        ("drummer", c_int32),
        ("frame_rate_hz", c_float),
        ("codec_share", c_float),
        ("sound_temperature", c_float),
    )  # fmt: skip


class WantedFrame(ctypes.Structure):
    """GigmateWanted. Any thread."""

    _fields_ = (
        *((name, c_float) for name in (
            "beat_phase", "bar_phase", "tempo_bpm", "beats_per_bar", "playing", "confidence", "known", "density",
            "fill",
        )),
        ("chord_root", c_int32),
        ("pitch_classes", c_float * 12),
        ("style", c_int32),
        ("ahead", c_int32),
        ("temperature", c_float),
        ("top_p", c_float),
        ("top_k", c_int32),
        ("tuning_cents", c_double),
        ("hand_bias", c_void_p),
        ("busier", c_float * MAX_PARTS),
        ("unasked", c_float * MAX_PARTS),
    )  # fmt: skip


@lru_cache(maxsize=2)
def load(path: Path) -> ctypes.CDLL:
    """The library with its signatures. Raises CompilerError where it cannot be loaded."""
    try:
        lib = ctypes.CDLL(str(path))
    except OSError as error:
        path.unlink(missing_ok=True)  # damaged: the next start builds it anew
        raise CompilerError(f"the built step cannot be loaded ({error}): start again") from error
    lib.gigmate_model_new.restype = c_void_p
    lib.gigmate_model_new.argtypes = [POINTER(Sizes), POINTER(Array), c_int32, c_char_p, c_int32]
    lib.gigmate_model_free.argtypes = [c_void_p]
    lib.gigmate_stream_new.restype = c_void_p
    lib.gigmate_stream_new.argtypes = [c_void_p]
    lib.gigmate_stream_bytes.restype = c_int64
    lib.gigmate_stream_bytes.argtypes = [c_void_p]
    for name in ("stream_free", "reset_listening", "reset_playing"):
        getattr(lib, f"gigmate_{name}").argtypes = [c_void_p]
    lib.gigmate_prepare_thread.argtypes = []
    lib.gigmate_give_back.argtypes = []
    lib.gigmate_listen.argtypes = [c_void_p, c_void_p, c_void_p]
    lib.gigmate_hear.argtypes = [c_void_p, c_void_p]
    lib.gigmate_sample.restype = c_int32
    lib.gigmate_sample.argtypes = [c_int32, c_void_p, c_float, c_float, c_int32, c_float]
    lib.gigmate_recall.argtypes = [c_void_p, c_void_p]
    lib.gigmate_encoded.argtypes = [c_void_p, c_void_p]
    lib.gigmate_draw.restype = c_float
    lib.gigmate_draw.argtypes = [c_void_p, POINTER(WantedFrame), c_void_p, c_void_p]
    lib.gigmate_sound.argtypes = [c_void_p, c_void_p, c_float, c_void_p]
    return lib

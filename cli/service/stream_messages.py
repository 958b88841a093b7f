"""The binary and JSON messages of the WebSockets, as described in docs/serving.md. Pure, any thread.

Text frames hold JSON with a "type"; binary frames hold sound. All numbers are little-endian.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...engine.errors import EngineError
from ...engine.hand import DRUM_VOICES, FREE_HAND, Hand, PartHand
from ...engine.player import (
    PARTS,
    Controls,
    Heard,
    HeardFrame,
    Moment,
    NoteEvent,
)
from ...files.json_text import json_text
from ...presets.strict import nearest

VERSION = 1
"""Of a hello."""
PLAYER_VERSION = 5
"""Of what goes over /player; 2: what was heard holds the notes that were played; 3: sound has the band's notes; 4: what
is asked has a hand on the notes, the groove and its pattern; 5: what was heard says the note of a melody."""
Array = NDArray[np.float32]

# /stream: sequence number, then the position of the first sample, then interleaved float32.
_BLOCK = struct.Struct("<IQ")

# /player: kind and number, then what the kind needs.
_CALL = struct.Struct("<BI")
LISTEN, PLAY, HEARD, SOUND, FAILED = 1, 2, 3, 4, 5
_HEARD_HEAD = struct.Struct("<ffIBB")
_CHORD_SIZES = (13, 12, 12)
_MUTED_DB = -1000.0
"""Stands for minus infinity, which JSON has no word for."""


class WireError(EngineError):
    """What came is not what the protocol says."""


def pack_block(sequence: int, position_samples: int, sound: Array) -> bytes:
    """[n] or [n, channels] as one binary frame of /stream."""
    return _BLOCK.pack(sequence & 0xFFFFFFFF, position_samples) + np.ascontiguousarray(sound, "<f4").tobytes()


def unpack_block(data: bytes, channels: int) -> tuple[int, int, Array]:
    """(sequence, position, [n, channels]). Raises WireError."""
    if len(data) < _BLOCK.size or (len(data) - _BLOCK.size) % (4 * channels):
        raise WireError(f"a block of {len(data)} bytes: give 12 bytes of header and whole float32 frames")
    sequence, position = _BLOCK.unpack_from(data)
    sound = np.frombuffer(data, "<f4", offset=_BLOCK.size).reshape(-1, channels).astype(np.float32)
    return sequence, position, sound


def read_json(text: str) -> dict[str, Any]:
    """A control message. Raises WireError for what is none."""
    try:
        message = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise WireError("a text frame that is no JSON") from error
    if not isinstance(message, dict) or not isinstance(message.get("type"), str):
        raise WireError('a text frame without a "type"')
    return message


def check_names(message: Mapping[str, Any], names: Sequence[str]) -> None:
    """Raises WireError for a field that is none of `names`, nor the type."""
    for name in message:
        if name != "type" and name not in names:
            raise WireError(f"there is no field {name[:60]!r}{nearest(name, names)}: fields are {', '.join(names)}")


def number(message: Mapping[str, Any], name: str, default: float, low: float, high: float) -> float:
    """A number of a control message. Raises WireError outside [low, high]."""
    value = message.get(name, default)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
        raise WireError(f"{name}: give a number from {low:g} to {high:g}")
    return value


def pack_call(kind: int, index: int, body: bytes = b"") -> bytes:
    """One binary frame of /player."""
    return _CALL.pack(kind, index & 0xFFFFFFFF) + body


def unpack_call(data: bytes) -> tuple[int, int, bytes]:
    """(kind, number, body). Raises WireError."""
    if len(data) < _CALL.size:
        raise WireError("a frame without its header")
    kind, index = _CALL.unpack_from(data)
    return kind, index, data[_CALL.size :]


def pack_sound(sound: Array) -> bytes:
    """float32, any shape."""
    return np.ascontiguousarray(sound, "<f4").tobytes()


def unpack_sound(body: bytes, *shape: int) -> Array:
    """float32 of that shape. Raises WireError for another size."""
    if len(body) != 4 * int(np.prod(shape)):
        raise WireError(f"{len(body)} bytes instead of float32 {list(shape)}")
    return np.frombuffer(body, "<f4").reshape(shape).astype(np.float32)


_NOTE = struct.Struct("<BBBH")
_MOST_NOTES = 512


class SentNote(NamedTuple):
    """A note that begins or ends in a frame (NoteEvent of engine/player.py). Any thread."""

    part: int
    pitch: int
    velocity: int
    offset_samples: int


def pack_notes(notes: Sequence[NoteEvent]) -> bytes:
    """The notes of one frame, behind its sound."""
    rows = ((note.part, note.pitch, note.velocity, note.offset_samples) for note in notes[:_MOST_NOTES])
    return b"".join(_NOTE.pack(*row) for row in rows)


def unpack_notes(data: bytes) -> list[SentNote]:
    """Raises WireError for what are no notes."""
    if len(data) % _NOTE.size or len(data) > _MOST_NOTES * _NOTE.size:
        raise WireError(f"{len(data)} bytes of notes: each has {_NOTE.size}")
    notes = [SentNote(*row) for row in _NOTE.iter_unpack(data)]
    if any(note.part >= len(PARTS) or note.pitch > 127 or note.velocity > 127 for note in notes):
        raise WireError("notes of other parts or pitches")
    return notes


def pack_ask(moment: Moment, controls: Controls) -> bytes:
    """What `play` is asked."""
    return json_text({"moment": moment, "controls": controls}, not_finite=_MUTED_DB).encode()


def unpack_ask(body: bytes) -> tuple[Moment, Controls]:
    """Raises WireError for what is no moment with controls."""
    try:
        values = json.loads(body)
        moment, controls = values["moment"], values["controls"]
        classes = tuple(float(value) for value in moment.pop("chord_pitch_classes"))
        asked = (float(value) for value in controls.pop("levels_db"))
        levels = tuple(-math.inf if value <= _MUTED_DB else value for value in asked)
        hand = unpacked_hand(controls.pop("hand", None))
        made = Moment(chord_pitch_classes=classes, **moment), Controls(levels_db=levels, hand=hand, **controls)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise WireError(f"no moment with controls ({type(error).__name__})") from error
    notes = made[0].chord_root, made[0].chord_bass, made[0].next_root
    if len(classes) != 12 or len(levels) != len(PARTS) or any(note not in range(-1, 12) for note in notes):
        raise WireError("a moment of other sizes")
    for name in ("beat_phase", "bar_phase", "tempo_bpm", "beats_per_bar", "confidence"):
        number(moment, name, 0.0, 0.0, 1000.0)
    for name, low, high in (
        ("density", 0.0, 1.0),
        ("temperature", 0.01, 5.0),
        ("top_k", 1, 1 << 20),
        ("top_p", 0.001, 1),
        ("fill", 0.0, 1.0),
        ("groove", 0.0, 1.0),
        ("listening", 0.0, 1.0),
    ):
        number(controls, name, low, low, high)
    if not isinstance(made[1].style, str) or not isinstance(made[1].pattern, str) or not isinstance(made[1].top_k, int):
        raise WireError("controls of other kinds")
    return made


def unpacked_hand(told: dict[str, Any] | None) -> Hand:
    """A hand from JSON; None: one that asks for nothing. Raises ValueError, TypeError, KeyError, AttributeError."""
    if told is None:
        return FREE_HAND
    parts = []
    for part in told["parts"]:
        hit_at, out, voices = part.pop("hit_at"), part.pop("keep_out"), tuple(part.pop("voices"))
        sure, busier, level_db = (float(part.pop(name)) for name in ("sure", "busier", "level_db"))
        rest, hold = bool(part.pop("rest")), bool(part.pop("hold"))
        if out is not None:
            low, high = (int(min(max(float(note), 0.0), 127.0)) for note in out)
            out = (low, high)
        hit_at = None if hit_at is None else min(max(float(hit_at), 0.0), 1.0)
        if (
            part
            or not (math.isfinite(sure) and math.isfinite(busier) and math.isfinite(level_db))
            or not set(voices) <= set(DRUM_VOICES)
        ):
            raise ValueError("a hand of another kind")
        parts.append(PartHand(rest, hold, hit_at, voices, sure, busier, level_db, out))
    if len(parts) != len(PARTS):
        raise ValueError("a hand for other parts")
    return Hand(tuple(parts))


def pack_heard(heard: Heard) -> bytes:
    """What `listen` answers."""
    sub_frames = len(heard.beat)
    head = _HEARD_HEAD.pack(heard.activity, heard.level_db, heard.delay_samples, sub_frames, heard.line_midi)
    rows = (heard.beat, heard.downbeat, heard.onset, heard.chord_root, heard.chord_pitch_classes, heard.played)
    return head + b"".join(pack_sound(row) for row in rows)


def unpack_heard(body: bytes, later_samples: int) -> HeardFrame:
    """As it was heard, and `later_samples` longer ago. Raises WireError."""
    if len(body) < _HEARD_HEAD.size:
        raise WireError("an answer without its header")
    activity, level_db, delay_samples, sub_frames, line_midi = _HEARD_HEAD.unpack_from(body)
    values = unpack_sound(body[_HEARD_HEAD.size :], 3 * sub_frames + sum(_CHORD_SIZES))
    ends = np.cumsum([sub_frames] * 3 + list(_CHORD_SIZES))
    beat, downbeat, onset, root, classes, played = np.split(values, ends[:-1])
    late = delay_samples + later_samples
    return HeardFrame(beat, downbeat, onset, root, classes, played, activity, level_db, late, line_midi)

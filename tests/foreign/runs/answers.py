"""For every script here: prints what a peer hears in each lead as one line of JSON. Runs in the peer's environment.

Knows no peer. The lines are those of `Answer` (peer_scores.py), with the lead's path.
"""

import collections
import collections.abc
import json

import numpy as np

CHORDS = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
_FLATS = {"Db": "C#", "Eb": "D#", "Gb": "F#", "Ab": "G#", "Bb": "A#", "Cb": "B", "Fb": "E", "E#": "F", "B#": "C"}


def print_answers(leads, hear):
    """`hear` gives a dictionary of beats_s, downbeats_s or chords for a path."""
    for lead in leads:
        print(json.dumps({"lead": lead, **hear(lead)}), flush=True)


def seconds(values):
    return [float(value) for value in values]


def chord_number(root, minor):
    """Root by its English name, in sharps or flats."""
    return CHORDS.index(_FLATS.get(root, root)) + 12 * minor


def read_mono(lead):
    """Samples as float32 and the rate."""
    import soundfile

    sound, rate_hz = soundfile.read(lead, dtype="float32", always_2d=True)
    return np.ascontiguousarray(sound.mean(axis=1)), rate_hz


def let_old_packages_in():
    """madmom 0.16.1 and what stands on it use names that Python 3.10 and numpy 1.24 took away."""
    for name in ("MutableSequence", "MutableMapping", "Iterable", "Sequence", "Mapping", "Callable"):
        if not hasattr(collections, name):
            setattr(collections, name, getattr(collections.abc, name))
    for name, kind in (("float", float), ("int", int), ("bool", bool), ("object", object)):
        if name not in np.__dict__:
            setattr(np, name, kind)

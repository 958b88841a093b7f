"""madmom's beats: `online` causal by frames with the forward algorithm, `offline` beats with downbeats."""

import sys

import answers
from madmom_sound import signal_of  # lets the old package in: before it

from madmom.features.beats import DBNBeatTrackingProcessor, RNNBeatProcessor  # isort: skip
from madmom.features.downbeats import DBNDownBeatTrackingProcessor, RNNDownBeatProcessor  # isort: skip

FPS = 100


def online(lead):
    # fresh objects for each lead: both carry a state from one call to the next
    activations = RNNBeatProcessor(online=True, fps=FPS, origin="online")(signal_of(lead))
    tracker = DBNBeatTrackingProcessor(fps=FPS, online=True)
    found = []
    for k, activation in enumerate(activations):
        beats = tracker.process_online(activation.reshape(1), reset=k == 0)
        found += answers.seconds(beats)
    return {"beats_s": found}


def offline(lead):
    rows = DBNDownBeatTrackingProcessor(beats_per_bar=[3, 4], fps=FPS)(RNNDownBeatProcessor(fps=FPS)(signal_of(lead)))
    return {"beats_s": answers.seconds(rows[:, 0]), "downbeats_s": answers.seconds(rows[rows[:, 1] == 1, 0])}


answers.print_answers(sys.argv[2:], {"online": online, "offline": offline}[sys.argv[1]])

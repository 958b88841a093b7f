"""BeatNet's causal mode: network frame by frame, particle filters for beats and bars. Its microphone is not needed."""

import sys
import types

import answers

answers.let_old_packages_in()
sys.modules["pyaudio"] = types.ModuleType("pyaudio")  # only its streaming mode uses it

import numpy as np  # noqa: E402
from BeatNet.BeatNet import BeatNet  # noqa: E402


def hear(lead):
    np.random.seed(0)  # noqa: NPY002 (the particles are drawn from that generator)
    rows = BeatNet(1, mode="online", inference_model="PF", plot=[], thread=False).process(lead)
    rows = np.asarray(rows).reshape(-1, 2)
    return {"beats_s": answers.seconds(rows[:, 0]), "downbeats_s": answers.seconds(rows[rows[:, 1] == 1, 0])}


answers.print_answers(sys.argv[1:], hear)

"""What the live path tells of each lead, the lead alone and no style told: beats, bars and chords."""

import sys
from pathlib import Path

import answers
from gigmate.cli.eval.eval_leads import listen_to
from gigmate.cli.listen_stream import ListeningPlayer

ear = ListeningPlayer()


def hear(lead):
    told = listen_to(ear, Path(lead))
    beats, chords = told.beats, zip(told.at_s, told.chords, strict=True)
    return {
        "beats_s": answers.seconds(beats[:, 0]),
        "downbeats_s": answers.seconds(beats[beats[:, 1] == 1, 0]),
        "chords": [(float(at_s), int(chord)) for at_s, chord in chords],
    }


answers.print_answers(sys.argv[1:], hear)

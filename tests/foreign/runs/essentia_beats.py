"""essentia's beats: RhythmExtractor2013, several features, over the whole recording."""

import sys

import answers
import essentia.standard


def hear(lead):
    sound = essentia.standard.MonoLoader(filename=lead, sampleRate=44100)()
    return {"beats_s": answers.seconds(essentia.standard.RhythmExtractor2013(method="multifeature")(sound)[1])}


answers.print_answers(sys.argv[1:], hear)

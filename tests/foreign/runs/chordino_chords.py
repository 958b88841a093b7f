"""Chordino's chords: the Vamp plugin nnls-chroma that the package chord-extractor brings, at its own settings."""

import os
import pathlib
import re
import sys
import sysconfig

import answers

PLUGINS = pathlib.Path(sysconfig.get_paths()["purelib"]) / "chord_extractor" / "_lib"
os.environ["VAMP_PATH"] = str(PLUGINS)  # read when vamp is imported

import vamp  # noqa: E402


def chord_of(label):
    """Root and third of "Abm7/Gb" and the like; -1 for none."""
    found = re.match(r"([A-G][#b]?)(m(?!aj)|dim)?", label)
    return answers.chord_number(found[1], found[2] is not None) if found else -1


def hear(lead):
    sound, rate_hz = answers.read_mono(lead)
    rows = vamp.collect(sound, rate_hz, "nnls-chroma:chordino", output="simplechord")["list"]
    return {"chords": [(float(row["timestamp"]), chord_of(row["label"])) for row in rows]}


answers.print_answers(sys.argv[1:], hear)

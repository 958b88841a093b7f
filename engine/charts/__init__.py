"""Chord charts: symbols, notation, repeats, and the place in a song. Values; no sound."""

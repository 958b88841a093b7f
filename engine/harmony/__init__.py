"""Chords and keys: what is heard, what the song has played before, and what will follow. Inference thread only."""

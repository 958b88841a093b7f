"""Chords and keys: recognised, remembered and predicted. Inference thread only."""

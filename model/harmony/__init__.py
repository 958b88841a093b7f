"""Chords and keys: the network that reads them, and its use on a stream."""

"""Gestures in, commands out: keys, MIDI, tap, OSC, web. Knows only the engine's commands and status."""

"""What comes in by the port's MIDI, as commands. Inference thread only."""

"""Clocks of other machines and programs: MIDI clock in and out, and JACK's transport. Inference thread only."""

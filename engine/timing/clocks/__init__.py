"""Clocks of others: MIDI clock in and out, JACK's transport, Ableton Link. Inference thread only."""

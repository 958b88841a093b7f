"""The trainings: of codec, listener, chord network, generator and voice, with their data and losses."""

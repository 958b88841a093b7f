"""Controls: keys, MIDI, OSC and the web page in, commands out. Knows only the commands and status of the engine."""

"""Notes to sound, and notes out: MIDI files, General MIDI. No torch; knows no engine and no thread."""

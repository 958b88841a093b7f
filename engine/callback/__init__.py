"""What the audio thread runs, compiled, and the bridge between it and Python. Knows no music."""

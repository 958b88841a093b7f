"""The output: mixer, gain envelopes, the count-in click, and recordings."""

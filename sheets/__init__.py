"""Charts of other programs: read into our own, and written from it. No sound, nothing heavy."""

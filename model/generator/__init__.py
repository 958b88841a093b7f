"""The generator: a transformer that writes the parts' notes and tokens, and what steers it."""

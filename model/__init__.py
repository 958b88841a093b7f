"""The torch half: codec, listener, generator, runtime. Knows no sound card and no thread."""

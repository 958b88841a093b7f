"""One reader for each format: text or bytes in, sheets out. None opens a file."""

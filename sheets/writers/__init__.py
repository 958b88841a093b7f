"""One writer for each format: a chart in, text out. None opens a file."""

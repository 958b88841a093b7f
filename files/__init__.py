"""Files: sound files read to their end, and JSON of plain values."""

"""The run: the live engine, its inference thread, its offline twin, and what decides when the band sounds."""

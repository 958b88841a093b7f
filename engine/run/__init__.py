"""The run: the live engine, its inference thread, its offline version, and the stage."""

"""Musical time: the conductor, its timeline, and the time sources. Inference thread only."""

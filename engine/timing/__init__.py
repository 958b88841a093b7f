"""Where in the music we are: the conductor, its timeline, and the sources of time. Inference thread only."""

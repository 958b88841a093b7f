"""What comes before the first frame of a run. Inference thread only."""

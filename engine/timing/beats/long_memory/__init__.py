"""What only many bars together tell of the beat. Inference thread only."""

"""Beat tracking: from the listener's activations to beats, bars and tempo. Inference thread only."""

"""What the beat tracker keeps about the line that it holds. Inference thread only."""

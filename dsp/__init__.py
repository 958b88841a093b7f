"""Signal processing on arrays: rings, framing, resampling, crossfades, limiter, features. No threads, no torch."""

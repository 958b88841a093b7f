"""`gigmate latency`: the round trip, measured and verified."""

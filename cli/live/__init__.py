"""`gigmate-live` and `gigmate play`: from options to a running band."""

"""`gigmate eval`: evaluates the band and its parts on held-out music."""

"""`gigmate eval`: the band and its parts judged on held-out music."""

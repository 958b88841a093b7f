"""The verbs of `gigmate charts`."""

"""Moves: what the musician asks of the band on the spot, and where in musical time it happens."""

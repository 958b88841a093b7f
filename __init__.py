"""GigMate: a band (drums, bass, keys) that plays along with a live instrument on a laptop's CPU.

The root of the repository is this package. Heavy parts (torch, numba) are imported only by those who need them.
"""

__version__ = "0.1.0"

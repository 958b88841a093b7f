"""`gigmate bench`: how fast the live path is on this machine."""

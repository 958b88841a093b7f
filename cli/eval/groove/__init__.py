"""`gigmate eval groove` and `gigmate eval sections`."""

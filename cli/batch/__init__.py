"""`gigmate complete` over folders: many recordings, by several processes or a cluster."""

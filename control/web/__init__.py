"""The remote for a phone: one page, and a WebSocket with commands in and snapshots out. Never any audio."""

"""The remote for a phone: one page, and a WebSocket that carries commands in and snapshots out. Never any audio."""

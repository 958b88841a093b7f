"""The arranger's players: drums, bass, keys and the lead. They know no sound."""

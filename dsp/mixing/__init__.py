"""What a mixing desk does to a part: its place between left and right, compression, the room. Streaming, host rate."""

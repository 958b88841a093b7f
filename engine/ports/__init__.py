"""Audio ports behind one interface: JACK, PortAudio and file."""

"""The looper: what the musician played, kept on the band's bar lines, played again and played over."""

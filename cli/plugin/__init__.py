"""`gigmate plugin`: the plug-in for hosts, built and installed; and the band that it starts."""

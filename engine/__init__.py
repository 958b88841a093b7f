"""The live half: audio ports, the bridge, the worker, the conductor. No torch, and no import of model."""

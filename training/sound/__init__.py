"""Notes to sound, sound to what a stage makes of it, and the labels beside it. Knows no models and no training."""

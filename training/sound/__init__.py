"""Rendering: notes to sound, the sound of a stage, and labels. Knows no models and no training."""

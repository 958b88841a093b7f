"""Offline: the arranger, rendering, datasets, losses, training and evaluation. Never imported by live code."""

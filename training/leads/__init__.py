"""Leads that people play: music for the listener that the arranger would not write."""

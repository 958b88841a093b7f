"""Presets: a strict schema, a loader, and the YAML files that ship."""

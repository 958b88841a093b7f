"""The arranger: writes songs for a lead and a band as notes, from a seed. Knows no sound, no files, no torch."""

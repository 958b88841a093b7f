"""The lead as notes and accents: what was played on the grid of bars, what is to be expected, and the band's answer."""

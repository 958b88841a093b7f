"""Songs learnt by hearing them once: beats and chords of what is played, sections, and the chart that comes of them."""

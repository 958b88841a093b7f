"""What is heard: the mixer, gains over time, the count-in's click, and recordings."""

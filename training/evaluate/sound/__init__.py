"""What a band sounds like, part by part: takes, their balance, touch, and distance to another rendering."""

"""`gigmate train`: stores of songs, trainings, weights."""

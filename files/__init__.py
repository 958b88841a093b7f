"""What is read from disks and written as text for programs: sound read whole, JSON of plain values."""

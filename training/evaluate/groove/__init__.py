"""Whether the band keeps a groove, plays its style and tells sections apart, judged by the notes that it draws."""

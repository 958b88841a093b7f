"""Several processes behind one port: the front, the workers, and how they talk."""

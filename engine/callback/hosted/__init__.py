"""What runs for a plug-in: the memory that its shell and the engine share, and the thread that carries blocks."""

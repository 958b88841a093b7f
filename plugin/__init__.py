"""The plug-in: its shell in C (`source/`), how it is built, and the run of the band that the shell starts."""

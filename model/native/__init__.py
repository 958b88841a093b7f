"""The band's step in C: built once by the machine's compiler, called through ctypes. Without torch."""

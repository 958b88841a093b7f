"""The band as one TorchScript file for patches (Max, Pd) and libtorch."""

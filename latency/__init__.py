"""Time: units, clocks, the budget of delays, meters, the probe and calibration. Imports nothing of ours."""

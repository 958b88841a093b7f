"""What is set up once: config.yaml, `gigmate config` and `gigmate setup`."""

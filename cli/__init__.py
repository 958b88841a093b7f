"""The command line: one short function per verb; heavy imports stay inside the verb."""

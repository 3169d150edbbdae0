"""Archive of the log, re-running days, comparing runs."""

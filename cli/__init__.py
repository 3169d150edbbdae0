"""The command twin: one thin file per group of commands."""

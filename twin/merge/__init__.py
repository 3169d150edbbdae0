"""Order-free merges of facts."""

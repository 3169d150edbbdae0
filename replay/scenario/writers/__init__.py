"""One writer for each native format; they say what the world did, and know nothing of how it came about."""

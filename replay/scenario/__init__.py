"""A small physical world that writes native messages."""

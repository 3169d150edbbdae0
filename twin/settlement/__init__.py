"""Settlement rules, one folder per rule."""

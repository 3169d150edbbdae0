"""Vocabulary: interfaces, events, facts, identifiers, time, wire formats, the database. Pure."""

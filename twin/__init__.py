"""Meaning: what events say, the actors' state, readings to quarter hours, settlement. Pure."""

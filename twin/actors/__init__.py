"""Typed state of each kind of actor."""

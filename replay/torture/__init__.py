"""Torture: the stack under load while its parts are killed at random, and what must hold afterwards.

``make torture DURATION=1800`` starts a stack of its own, lets two processes outside of it send and note what was
acknowledged, kills workers, broker, database, archiver and gateway at random moments, lets everything settle, and
then holds log, tables and archive against each other.
"""

"""Mutated messages against every decoder: whatever comes, it ends as an event or in quarantine, soon and small.

``make fuzz`` or ``python -m replay.fuzz``. A mutant is a function of the seed, the decoder and its number
(:mod:`replay.fuzz.mutation`); it goes the way of a file through :func:`streams.reader.read` and the observers
(:mod:`replay.fuzz.judge`), each decoder in a process of its own with little memory (:mod:`replay.fuzz.runs`).
"""

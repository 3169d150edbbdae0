"""The archive: the log as Parquet segments, messages with their raw bytes and beside them the facts as typed columns.

A segment is an immutable folder with an unbroken range of offsets of each partition; its manifest is written last, so
a folder without one is an attempt that crashed.
"""

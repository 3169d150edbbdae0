"""Order-free merges: facts of many events become rows, and rows merge with rows.

Every merge here is commutative, associative and idempotent; ``tests/twin/test_merge_laws.py`` holds them to it.
"""

"""The benchmark: ``make bench`` measures the whole road in one run, each figure beside a baseline of the same run."""

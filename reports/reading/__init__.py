"""The files of runs, read and checked; what was declared before the runs."""

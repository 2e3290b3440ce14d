"""The run store: folders of runs, their checksums, queries, copies, verification."""

"""Feature files: the community's pickles, read without executing them, and the open format."""

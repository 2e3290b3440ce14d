"""The tables of a report: a model, its renderings, one kind of table a file."""

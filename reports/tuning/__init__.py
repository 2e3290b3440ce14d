"""Searches for settings -> a page of their own: what was searched, what it found, and what the search itself bought.

Reads `studies/*.json` of a store (docs/run-format.md) and joins them with its runs. Nothing here decides anything: the
search has chosen on validation data already, and the comparison of what it chose is in the ordinary tables.
"""

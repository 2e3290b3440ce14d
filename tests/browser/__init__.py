"""The report in a real browser: `nox -s browser`, with the chromium of the system."""

"""Studies: a method's settings searched by validation weighted F1, through Optuna and the ordinary run store.

Nothing here imports optuna or torch before a study is opened.
"""

FAIR_STUDIES = 3
"""Independent studies of a method that a fair comparison has at least."""

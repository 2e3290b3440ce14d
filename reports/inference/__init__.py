"""Verdicts: contrasts, factorial effects, claims, findings."""

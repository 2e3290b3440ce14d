"""The claims of the paper (claims.toml), each with a verdict from the same logic as every other comparison.

One kind of check a file: contrasts, published, variance, grid, classes.
"""

from reports.inference.claims.check import check_claims
from reports.inference.claims.claim import Claim, Part
from reports.inference.claims.subject import scope, speaks_of_the_paper

__all__ = ["Claim", "Part", "check_claims", "scope", "speaks_of_the_paper"]

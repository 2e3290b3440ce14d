"""What every fusion and every aggregator has to keep to, as checks that anybody can run on a component of his own.

::

    from benchmark.methods.contracts import check_aggregator, check_fusion

    def test_my_fusion_keeps_the_contract():
        check_fusion(MyFusion, width=8)
"""

from collections.abc import Callable
from typing import Any

from benchmark.methods.contracts.aggregators import AGGREGATOR_CHECKS
from benchmark.methods.contracts.fusions import FUSION_CHECKS

__all__ = ["AGGREGATOR_CHECKS", "FUSION_CHECKS", "check_aggregator", "check_fusion"]


def check_fusion(factory: Callable[..., Any], **options: Any) -> None:
    """Run every check on the fusion of ``factory(features, modalities, **options)``; AssertionError says what fails."""
    for check in FUSION_CHECKS:
        check(lambda features, modalities: factory(features, modalities=modalities, **options))


def check_aggregator(factory: Callable[..., Any], **options: Any) -> None:
    """Run every check on the aggregator of ``factory(**options)``; AssertionError says what fails."""
    for check in AGGREGATOR_CHECKS:
        check(lambda: factory(**options))

"""Whether two sets of conversations are the same."""

from dataclasses import fields

import numpy as np

from benchmark.data import Conversations


def same(a, b):
    """Equal to the bit, in every field, and in the order of features."""
    for field in fields(Conversations):
        x, y = getattr(a, field.name), getattr(b, field.name)
        if field.name == "features":
            assert list(x) == list(y)
            for m in x:
                assert x[m].dtype == y[m].dtype
                np.testing.assert_array_equal(x[m].view(np.int32), y[m].view(np.int32))
        elif isinstance(x, np.ndarray):
            np.testing.assert_array_equal(x, y)
            assert x.dtype == y.dtype
        else:
            assert x == y
    return True

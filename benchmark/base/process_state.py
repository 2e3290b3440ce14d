"""What code of others changes of the whole process, put back: its folder and its environment."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def put_back() -> Iterator[None]:
    """Have the block leave the working directory and the environment as they were."""
    folder, before = Path.cwd(), dict(os.environ)
    try:
        yield
    finally:
        os.chdir(folder)
        for name in os.environ.keys() - before.keys():
            del os.environ[name]
        os.environ.update(before)

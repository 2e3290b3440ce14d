"""What a block changes of the whole process, put back: its environment, and the folder that it is in."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def put_back() -> Iterator[None]:
    """Have the block leave the working directory and the environment as they were."""
    folder = Path.cwd()
    with environment_put_back():
        try:
            yield
        finally:
            os.chdir(folder)


@contextmanager
def environment_put_back() -> Iterator[None]:
    """Have the block leave the environment as it was."""
    before = dict(os.environ)
    try:
        yield
    finally:
        for name in os.environ.keys() - before.keys():
            del os.environ[name]
        os.environ.update(before)

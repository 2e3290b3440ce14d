"""What the tests of the browser share: how a page is opened, and a name that tries to be something else."""

from collections.abc import Callable

from playwright.sync_api import Page

HOSTILE = "<img src=x onerror=alert`1`> $\\frac$ [a]: b =1+1 | &lt; </script>"
Open = Callable[..., Page]

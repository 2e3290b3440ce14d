"""The one error of this package."""


class ReportError(Exception):
    """Nothing to report, or a store that cannot be read. The message names the cause, the value and the remedy."""


class DamagedRunError(ReportError):
    """A file of a run's folder is not as it was written; the other runs can be used."""


class NothingToJudgeError(ReportError):
    """Every comparison that a look would judge lacks runs."""

"""Errors whose message is meant for the user: the command line shows it alone and exits 2."""

import errno

NO_ROOM = {
    errno.ENOSPC: "free some space",
    errno.EDQUOT: "free some space",
    errno.EFBIG: "raise the limit on file sizes (ulimit -f)",
}
"""What makes room again, by the error of a disk, a quota or a limit on file sizes that has none left."""


class UserError(Exception):
    """Wrong usage or wrong input. The message names the cause, the value and the remedy in one line."""


class DataError(UserError):
    """A feature file that cannot be used: missing, unreadable, of an unknown layout, or with impossible values."""


class TransferError(Exception):
    """A download that did not end for a reason outside the request. The command line shows it alone and exits 1."""

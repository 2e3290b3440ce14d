"""What is published, where, and under whose terms."""

from dataclasses import dataclass

DRIVE_FOLDER = "1TwT9z6N6SJadsVkDhSNVBiF9ZygEyA6l"
"""The Google Drive folder in which the community's feature files are published."""


@dataclass(frozen=True)
class Terms:
    """What somebody who uses a corpus has agreed to: a notice, and the question that is asked before a download."""

    notice: str
    question: str


TERMS = {
    "iemocap": Terms(
        "IEMOCAP is released by the Signal Analysis and Interpretation Laboratory of the University of Southern "
        "California to those who have accepted its release agreement: https://sail.usc.edu/iemocap/iemocap_release.htm "
        "These features were computed from it; css-bench grants no right to them.",
        "Have you got this agreement, and does it cover your use?",
    ),
    "meld": Terms(
        "MELD is published under the GPL-3.0 for research, with dialogues of the television series Friends, whose "
        "rights are with its owners: https://github.com/declare-lab/MELD "
        "These features were computed from it; css-bench grants no right to them.",
        "Do you accept these terms?",
    ),
}

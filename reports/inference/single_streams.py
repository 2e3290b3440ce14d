"""Fusions that hand on one stream: what they are, and what they are not."""

from reports.evidence.comparisons import Comparison
from reports.reading.runs import Run

STREAMS = ("text", "audio", "visual")


def stream_words(comparison: Comparison) -> list[str]:
    """A sentence where methods of one stream are compared; none else."""
    labels = [m.label for m in comparison.methods if _is_stream(m.runs[0])]
    if not labels:
        return []
    one = len(labels) == 1
    return [
        f"{', '.join(labels)}: {'this is one stream' if one else 'each of these is one stream'} of the encoder after "
        f"cross-attention to the other modalities, so {'it has' if one else 'they have'} seen them too: "
        f"{'it is no unimodal baseline, and is' if one else 'they are no unimodal baselines, and are'} in no claim."
    ]


def _is_stream(run: Run) -> bool:
    """Whether a run hands on one stream of an encoder that saw more than that modality."""
    stream = str(run.component("fusion")["name"])
    return stream in STREAMS and run.component("encoder")["name"] != f"single-{stream}"

"""What the columns mean that several tables have."""

from collections.abc import Mapping

ORIGIN = {
    "dataset": "The name of the data set.",
    "data": "Their origin: simulated, real-published, real-unpublished or real-own, with -remedied where changed.",
}
METHOD = ORIGIN | {
    "protocol": "How runs split their data and chose epochs: validated, sessions, published or imported.",
    "method": "The method's label.",
}
RUN = METHOD | {"seed": "The run's seed."}
PARTS = {
    "mean": "mean over seeds",
    "sd": "standard deviation over seeds (denominator n − 1)",
    "low": "lower end of the 95 % interval of the mean, by Student's t",
    "high": "upper end of the 95 % interval of the mean, by Student's t",
    "n": "number of seeds with a finite value",
}


def summaries(measures: Mapping[str, str]) -> dict[str, str]:
    """A sentence for every `<measure>_{mean,sd,low,high,n}`, from what each measure is."""
    return {f"{name}_{part}": f"{says}: {how}." for name, says in measures.items() for part, how in PARTS.items()}

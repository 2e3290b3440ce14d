"""A method's runs on one data set."""

from dataclasses import dataclass

from reports.reading.runs import Run

# The method under test, then the 2 x 2 of fusion and aggregator, then the rest by name.
ORDER = ("css", "css-released", "adam", "concat+pgm", "concat", "pcgrad", "tensor")


@dataclass(frozen=True)
class Method:
    """The runs of one method, which differ by seed alone; sorted by seed. `refits`: of these very runs, likewise."""

    label: str
    runs: tuple[Run, ...]
    refits: tuple[Run, ...] = ()

    @property
    def tuned(self) -> bool:
        """Whether its settings come from a search; such a method is compared with its like."""
        return self.runs[0].tuned is not None

    @property
    def imported(self) -> bool:
        """Whether these are another code base's predictions, of which nothing else is known."""
        return self.runs[0].protocol == "imported"

    @property
    def selection(self) -> str:
        """What the epoch was chosen on: `validation`, or of imported runs `test` or `unknown` too."""
        return str(self.runs[0].spec["imported"]["selection"]) if self.imported else "validation"

    @property
    def paired(self) -> bool:
        """Whether seeds are those of the other methods; of imported runs somebody has said so."""
        return bool(self.runs[0].spec["imported"]["paired"]) if self.imported else True


def label_order(label: str) -> tuple[int, str]:
    """Sort key of a method's label; a tuned one follows the method it is of."""
    base = label.partition(" [")[0]
    return (ORDER.index(base) if base in ORDER else len(ORDER), label)

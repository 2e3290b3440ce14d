"""A method's runs on one data set."""

from dataclasses import dataclass

from reports.measures.outcomes import has_epochs
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
    def by_epoch(self) -> bool:
        """Whether there are predictions of every epoch: always of this suite's runs, and of imports that came whole."""
        return has_epochs(self.runs[0])

    @property
    def seeds(self) -> tuple[int, ...]:
        """Those of its runs."""
        return tuple(run.seed for run in self.runs)

    @property
    def selection(self) -> str:
        """What the epoch was chosen on: `validation`, or of imported runs `test` or `unknown` too."""
        return str(self.runs[0].spec["imported"]["selection"]) if self.imported else "validation"

    @property
    def paired(self) -> bool:
        """Whether seeds are those of the other methods; of imported runs somebody has said so."""
        return bool(self.runs[0].spec["imported"]["paired"]) if self.imported else True


def are_paired(a: Method, b: Method) -> bool:
    """Whether two methods are compared seed by seed.

    An import is paired with a method of this suite where somebody has said that its seeds are matched. Two imports that
    have the very same seeds are, too: where these are not matched, pairs cost degrees of freedom and no validity.
    """
    return (a.paired and b.paired) or (a.imported and b.imported and a.seeds == b.seeds)


def label_order(label: str) -> tuple[int, str]:
    """Sort key of a method's label; a tuned one follows the method it is of."""
    base = label.partition(" [")[0]
    return (ORDER.index(base) if base in ORDER else len(ORDER), label)

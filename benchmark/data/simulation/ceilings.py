"""How well anything can do on a simulated corpus, by the modalities it sees and whether it sees context.

Bayes accuracy is that of argmax_c p_c, with p the exact posterior; the weighted-F1 ceiling that of :mod:`.f1_rule`,
optimised on fresh utterances and measured on as many others. They come as those of the test split do, their noise drawn
only in the C + 1 directions that class means and bits span: the others say nothing of the label.

Beside each stands the ceiling without the synergy: of who sees the same modalities and takes every class's bits for
independent coins, so that their product says nothing. The axis of a bit is orthogonal to the class means (where the
width has room for that): this is to see an utterance but for a reflection along the axis of one bit.

    ceilings(IEMOCAP_SIM)[0].weighted_f1        # of text, audio and visual with context
"""

import hashlib
import itertools
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from benchmark.base.errors import UserError
from benchmark.base.files import cache_folder, kept
from benchmark.data.conversations import Conversations
from benchmark.data.simulation.chain import draw_labels, draw_lengths, draw_speakers
from benchmark.data.simulation.emissions import Emission, draw_emission, draw_latents
from benchmark.data.simulation.f1_rule import Rule, bayes_rule, best_f1_rule
from benchmark.data.simulation.posterior import evidence, from_evidence
from benchmark.data.simulation.simulator import simulate_spec
from benchmark.data.simulation.spec import MODALITIES, SimulatorSpec, SplitSize
from benchmark.data.simulation.streams import stream

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

UTTERANCES = 1 << 20
CHUNK = 1 << 15  # bounds the memory of a core
CHUNKS = 32  # at least, for the standard error
SUBSETS = tuple(s for size in (3, 2, 1) for s in itertools.combinations(MODALITIES, size))
CONTEXT = (True, False)
Subsets = Sequence[tuple[str, ...]]


@dataclass(frozen=True)
class Ceiling:
    """What no model of these modalities exceeds, as shares of 1.

    Attributes:
        modalities, context: what the model sees; without context, one utterance at a time.
        accuracy, weighted_f1: over the population, with Monte Carlo standard errors.
        weighted_f1_without_synergy: the same for who does not know the product of the synergy's bits; equal to
            ``weighted_f1`` where there is no product to see.
        weighted_f1_synergy_se: of ``weighted_f1`` less ``weighted_f1_without_synergy``, which are measured on the same
            utterances.
        test_accuracy, test_weighted_f1: of the same two rules on the corpus's own test split, where chance alone can
            lift a model higher.
    """

    modalities: tuple[str, ...]
    context: bool
    accuracy: float
    accuracy_se: float
    weighted_f1: float
    weighted_f1_se: float
    weighted_f1_without_synergy: float
    weighted_f1_without_synergy_se: float
    weighted_f1_synergy_se: float
    test_accuracy: float
    test_weighted_f1: float


def ceilings(
    spec: SimulatorSpec,
    seed: int = 0,
    utterances: int = UTTERANCES,
    *,
    subsets: Subsets | None = None,
    contexts: Sequence[bool] = CONTEXT,
) -> list[Ceiling]:
    """:func:`measure_ceilings`, kept in the user's cache under the hash of its arguments, numpy and this source."""
    asked = (spec, int(seed), utterances, np.__version__, SUBSETS if subsets is None else tuple(subsets), contexts)
    digest = hashlib.sha256(repr(asked).encode())
    for source in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(source.read_bytes())
    rows = kept(
        cache_folder() / "ceilings" / f"{spec.name}-{digest.hexdigest()[:32]}.json",
        lambda: [asdict(row) for row in measure_ceilings(spec, seed, utterances, subsets=subsets, contexts=contexts)],
    )
    return [Ceiling(**{**row, "modalities": tuple(row["modalities"])}) for row in rows]


def measure_ceilings(
    spec: SimulatorSpec,
    seed: int = 0,
    utterances: int = UTTERANCES,
    *,
    subsets: Subsets | None = None,
    contexts: Sequence[bool] = CONTEXT,
) -> list[Ceiling]:
    """Ceilings of subsets of the modalities, with and without context: a row each, all modalities first.

    Args:
        spec, seed: of the corpus.
        utterances: fresh ones to optimise on, and about as many to measure on.
        subsets, contexts: what is seen; None is every subset. A row does not depend on which others there are.

    Raises:
        UserError: the corpus has no test split, or an impossible seed.
    """
    test = simulate_spec(spec, seed).where("test")
    if not len(test):
        raise UserError(f"simulator {spec.name}: no test split, so no ceilings; splits must have one")
    chosen = SUBSETS if subsets is None else subsets
    with threadpool_limits(limits=1):  # products are small: more threads wait for each other as long as they work
        return [row for subset in chosen for row in _of_subset(spec, seed, test, utterances, subset, contexts)]


def draw_fresh(
    spec: SimulatorSpec, seed: int, purpose: str, utterances: int, modalities: tuple[str, ...]
) -> Iterator[Conversations]:
    """About ``utterances`` from the corpus's population, chunk by chunk; to be judged by :func:`span` of its emission.

    Without leakage; independent of the corpus and of other purposes; features have no speakers' offsets.
    """
    emission = span(draw_emission(spec, seed))
    size = next(s for s in spec.splits if s.split == "test")
    average = size.utterances / size.conversations
    chunks = max(CHUNKS, -(-utterances // CHUNK))
    conversations = max(1, round(utterances / chunks / average))
    # Not the first split, which is made to hold the longest conversation.
    splits = (SplitSize("train", 1, 1), SplitSize("test", conversations, round(conversations * average)))
    for chunk in range(chunks):
        drawn = replace(spec, name=f"{spec.name}/{purpose}/{chunk}", splits=splits)  # a name has streams of its own
        lengths = draw_lengths(drawn, seed, 1)
        offsets = np.concatenate([[0], np.cumsum(lengths)])
        everything = slice(0, conversations)
        speaker = draw_speakers(drawn, seed, offsets, everything)
        label = draw_labels(drawn, seed, speaker, offsets, everything)
        latents, features = draw_latents(drawn, seed, label), {}
        for m in modalities:
            mean = emission.mean(m, latents)
            features[m] = (mean + stream(drawn, seed, f"noise/{m}").standard_normal(mean.shape)).astype(np.float32)
        none = ("",) * conversations
        yield Conversations(
            features=features,
            label=label,
            speaker=speaker,
            offsets=offsets,
            ids=none,
            split=none,
            class_names=spec.class_names,
            speakers=len(spec.cast),
        )


def span(emission: Emission) -> Emission:
    """The same in the coordinates of the space that means and axis span, at most C + 1, with no speakers' offsets."""
    out = Emission({}, {}, {})
    for m, means in emission.means.items():
        basis = np.linalg.qr(np.vstack([means, emission.axis[m]]).T)[0]
        out.means[m], out.axis[m] = means @ basis, emission.axis[m] @ basis
        out.shift[m] = np.zeros((len(emission.shift[m]), basis.shape[1]))
    return out


def _shows_product(spec: SimulatorSpec, modalities: tuple[str, ...]) -> bool:
    """Whether these modalities together tell a product of two or more bits that says which class of a pair it is."""
    planted = len(spec.synergy) > 1 and bool(spec.pairs) and spec.synergy_strength > 0
    return planted and set(spec.synergy) <= set(modalities)


def _of_subset(
    spec: SimulatorSpec,
    seed: int,
    test: Conversations,
    utterances: int,
    modalities: tuple[str, ...],
    contexts: Sequence[bool],
) -> list[Ceiling]:
    emission = draw_emission(spec, seed)
    observers = 2 if _shows_product(spec, modalities) else 1

    def judge(data: Conversations, by: Emission) -> tuple[Ints, list[Floats]]:
        assert data.label is not None
        seen = evidence(spec, by, {m: data.features[m] for m in modalities}, data.speaker)[:observers]
        return data.label, [
            from_evidence(spec, observed, data.speaker, data.offsets if context else None)
            for observed in seen
            for context in contexts
        ]

    def fresh(purpose: str) -> Iterator[tuple[Ints, list[Floats]]]:
        by, drawn = span(emission), draw_fresh(spec, seed, purpose, utterances, modalities)
        with ThreadPoolExecutor(threads := os.cpu_count() or 1) as pool:  # numpy works outside Python's lock
            while chunks := list(itertools.islice(drawn, threads)):
                yield from pool.map(judge, chunks, itertools.repeat(by))

    bayes = bayes_rule(len(spec.class_names))
    learned = zip(*([p.astype(np.float32) for p in posteriors] for _, posteriors in fresh("optimise")), strict=True)
    rules = [(bayes, best_f1_rule(np.concatenate(p))) for p in learned]
    counts = np.array([_counts(rules, *judged) for judged in fresh("measure")])  # [chunks, posteriors, rule, C, C]
    at_hand = _counts(rules, *judge(test, emission))
    rows = []
    for i, context in enumerate(contexts):
        accuracy, accuracy_se = _with_error(counts[:, i, 0], _accuracy)
        weighted_f1, weighted_f1_se = _with_error(counts[:, i, 1], _weighted_f1)
        both = counts[:, [i, i - len(contexts)], 1]  # with the product and without; the same where only one looked
        without, without_se = _with_error(both[:, 1], _weighted_f1)
        rows.append(
            Ceiling(
                modalities=modalities,
                context=context,
                accuracy=accuracy,
                accuracy_se=accuracy_se,
                weighted_f1=weighted_f1,
                weighted_f1_se=weighted_f1_se,
                weighted_f1_without_synergy=without,
                weighted_f1_without_synergy_se=without_se,
                weighted_f1_synergy_se=_with_error(both, _gain)[1],
                test_accuracy=float(_accuracy(at_hand[i, 0])),
                test_weighted_f1=float(_weighted_f1(at_hand[i, 1])),
            )
        )
    return rows


def _counts(rules: list[tuple[Rule, Rule]], label: Ints, posteriors: list[Floats]) -> Ints:
    """How often class c (rows) was called c′ (columns), [posteriors, rule, C, C]."""
    classes = posteriors[0].shape[1]
    cells = [[label * classes + rule.predict(p) for rule in pair] for pair, p in zip(rules, posteriors, strict=True)]
    return np.array([[np.bincount(c, minlength=classes**2).reshape(classes, -1) for c in pair] for pair in cells])


def _with_error(counts: Ints, score: Callable[[Ints], Floats]) -> tuple[float, float]:
    """Score of all chunks' counts [K, C, C] together, and its standard error by the jackknife over chunks."""
    total = counts.sum(0)
    without = score(total - counts)
    return float(score(total)), float(np.sqrt((len(counts) - 1) * without.var()))


def _accuracy(counts: Ints) -> Floats:
    """The accuracy of counts [..., C, C]."""
    return counts.trace(axis1=-2, axis2=-1) / counts.sum((-2, -1))


def _weighted_f1(counts: Ints) -> Floats:
    """The weighted F1 of counts [..., C, C]; a class that neither occurs nor is predicted has weight 0."""
    true, predicted = counts.sum(-1), counts.sum(-2)
    f1 = 2 * counts.diagonal(axis1=-2, axis2=-1) / np.maximum(true + predicted, 1)
    return (true * f1).sum(-1) / true.sum(-1)


def _gain(counts: Ints) -> Floats:
    """How much higher the weighted F1 of the first of two rules is, of counts [..., 2, C, C]."""
    weighted_f1 = _weighted_f1(counts)
    return weighted_f1[..., 0] - weighted_f1[..., 1]

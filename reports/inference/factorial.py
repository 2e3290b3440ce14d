"""Effects of fusion and aggregator, and their interaction, over complete grids."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from reports.evidence.evidence import Evidence
from reports.evidence.method import Method
from reports.inference.ablation import left_out
from reports.inference.contrasts import reference
from reports.inference.scores import points
from reports.statistics import PairedComparison, factorial_effects

Cell = tuple[str, str]


@dataclass(frozen=True, eq=False)
class GridEffect:
    """One effect of one complete sub-grid."""

    grid: str
    kind: str
    name: str
    comparison: PairedComparison


@lru_cache(maxsize=2)  # the table and the figure of one data set ask for the same
def effects(evidence: Evidence) -> tuple[list[GridEffect], list[str]]:
    """The effects of every largest complete sub-grid, and a sentence for every level that is in none.

    Tuned methods are in no grid: its cells would differ by more than fusion and aggregator.
    """
    grid_effects: list[GridEffect] = []
    gaps: list[str] = []
    whole = reference(evidence.comparison)
    for context, cells in _contexts(tuple(m for m in evidence.comparison.methods if not m.tuned)):
        if context and len(cells) == 1 and left_out(next(iter(cells.values())), whole):
            continue  # a variant without a part, in the table of ablations: no grid is asked for
        grids = complete_grids(set(cells))
        values = {cell: points(evidence, method) for cell, method in cells.items()}
        for fusions, aggregators in grids:
            name = f"{{{', '.join(fusions)}}} × {{{', '.join(aggregators)}}}{context}"
            for effect in factorial_effects(values, fusions, aggregators, sessions=evidence.comparison.sessions):
                if effect.comparison is None:
                    gaps.append(f"{name}: {effect.sentence}.")
                    continue
                is_interaction = "×" in effect.name
                kind = "interaction" if is_interaction else "fusion" if _of(effect.name, fusions) else "aggregator"
                grid_effects.append(GridEffect(name, kind, effect.name, effect.comparison))
        gaps += _not_estimable(set(cells), grids, context)
    return grid_effects, gaps


def complete_grids(cells: set[Cell]) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
    """Largest complete sub-grids of at least 2 × 2 cells (none is part of another), the one with most cells first."""
    aggregators: dict[str, frozenset[str]] = {}
    for fusion in dict.fromkeys(fusion for fusion, _ in sorted(cells)):
        aggregators[fusion] = frozenset(aggregator for f, aggregator in cells if f == fusion)
    closed: set[frozenset[str]] = set()
    for partners in aggregators.values():  # every set of aggregators that some fusions have in common
        closed |= {partners} | {partners & other for other in closed}
    grids = []
    for shared in closed:
        fusions = tuple(fusion for fusion, partners in aggregators.items() if shared <= partners)
        if len(shared) > 1 and len(fusions) > 1:
            grids.append((_sorted(fusions), _sorted(shared)))
    return sorted(grids, key=lambda grid: (-len(grid[0]) * len(grid[1]), grid))


def _contexts(methods: tuple[Method, ...]) -> Iterator[tuple[str, dict[Cell, Method]]]:
    """Methods by (fusion, aggregator) for each encoder with its objectives, and its name where there are several."""
    groups: dict[tuple[str, ...], dict[Cell, Method]] = {}
    kinds = ("encoder", "objectives")
    usual = _usual(method.runs[0].component(kind) for method in methods for kind in kinds)
    for method in methods:
        run, spec = method.runs[0], method.runs[0].spec
        context = tuple(_named(run.component(kind), usual) for kind in kinds)
        core = next(part for part in str(spec["method"]).split("/") if "+" in part)
        fusion, _, aggregator = core.partition("+")
        cell = (fusion, aggregator)
        if cell in groups.setdefault(context, {}):  # options that the canonical string leaves to the preset
            cell = (_spelled_out(run.component("fusion")), _spelled_out(run.component("aggregator")))
        groups[context][cell] = method
    for (encoder, objectives), cells in groups.items():
        yield (f", encoder {encoder}, objectives {objectives}" if len(groups) > 1 else ""), cells


Usual = Mapping[tuple[str, str], str]
"""The commonest value of every option of a part, by the part's name and the option's."""


def _usual(components: Iterable[Mapping[str, Any]]) -> Usual:
    values: dict[tuple[str, str], Counter[str]] = {}
    for component in components:
        for option, value in component.get("options", {}).items():
            values.setdefault((component["name"], option), Counter())[json.dumps(value)] += 1
    return {option: counted.most_common(1)[0][0] for option, counted in values.items()}


def _named(component: Mapping[str, Any], usual: Usual) -> str:
    """The part's name with the options that are not as in most methods."""
    name, options = component["name"], component.get("options", {})
    given = {option: json.dumps(value) for option, value in sorted(options.items())}
    unusual = [f"{option}={value}" for option, value in given.items() if value != usual[name, option]]
    return name + (f"({','.join(unusual)})" if unusual else "")


def _spelled_out(component: Mapping[str, Any]) -> str:
    return f"{component['name']} {json.dumps(component.get('options', {}), sort_keys=True)}"


def _not_estimable(cells: set[Cell], grids: list[tuple[tuple[str, ...], tuple[str, ...]]], context: str) -> list[str]:
    """For every level in no complete sub-grid, the cells that it lacks beside the largest one."""
    fusions, aggregators = (Counter(cell[i] for cell in sorted(cells)) for i in (0, 1))
    if len(fusions) < 2 and len(aggregators) < 2:
        return [f"Not estimable{context}: there is one method, {'+'.join(*cells)}."] if len(cells) == 1 else []
    if not grids:
        rows, columns = ([level for level, _ in counted.most_common(2)] for counted in (fusions, aggregators))
        lacking = [f"{f}+{a}" for f in rows for a in columns if (f, a) not in cells]
        if len(rows) < 2 or len(columns) < 2:
            other = "aggregator" if len(columns) < 2 else "fusion"
            return [f"Not estimable{context}: all methods have one {other}, so there is no grid to take effects from."]
        return [f"Not estimable{context}: fusion × aggregator lacks {', '.join(lacking)}."]
    rows, columns = list(grids[0][0]), list(grids[0][1])
    in_some = [{level for grid in grids for level in grid[i]} for i in (0, 1)]
    sentences = []
    for level in sorted(set(fusions) - in_some[0]):
        lacking = [f"{level}+{a}" for a in columns if (level, a) not in cells]
        sentences.append(f"{level}: not estimable{context}: missing {', '.join(lacking)}.")
    for level in sorted(set(aggregators) - in_some[1]):
        lacking = [f"{f}+{level}" for f in rows if (f, level) not in cells]
        sentences.append(f"{level}: not estimable{context}: missing {', '.join(lacking)}.")
    return sentences


def _of(name: str, levels: tuple[str, ...]) -> bool:
    return all(side in levels for side in name.split(" − "))


def _sorted(levels: Any) -> tuple[str, ...]:
    """What CSS adds comes first, so that effects read as what it adds."""
    return tuple(sorted(levels, key=lambda level: (level not in ("spf", "pgm"), level)))

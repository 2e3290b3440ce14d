"""A method as values: its four components with every option spelled out."""

from typing import Any

from pydantic import Field

from benchmark.base.values import Frozen


class Plugin(Frozen):
    """Where a component from outside comes from: its class as ``module:Class``, and its source's fingerprint."""

    factory: str
    source: str


class Component(Frozen):
    """An encoder, fusion, aggregator or set of objectives by its registered name, with every option spelled out."""

    name: str
    options: dict[str, int | float | bool | str] = Field(default_factory=dict)
    plugin: Plugin | None = None


class Method(Frozen):
    """What is compared: four components, the canonical string that names them, and what tables show."""

    canonical: str
    label: str
    encoder: Component
    fusion: Component
    aggregator: Component
    objectives: Component

    @property
    def plugins(self) -> list[Plugin]:
        """Where those of the four come from that are from outside."""
        parts = (self.encoder, self.fusion, self.aggregator, self.objectives)
        return [part.plugin for part in parts if part.plugin is not None]

    @property
    def components(self) -> dict[str, dict[str, Any]]:
        """The four as plain values by kind; ``plugin`` is named only where there is one."""
        return self.model_dump(exclude={"canonical", "label"}, exclude_none=True)

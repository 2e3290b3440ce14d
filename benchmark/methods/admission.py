"""Whether a plug-in that a store or a lock names may be imported here. To decide that, nothing is imported."""

from collections.abc import Collection
from importlib.metadata import entry_points
from pathlib import Path

from benchmark.base.errors import UserError
from benchmark.base.fingerprints import package_fingerprint, package_places
from benchmark.methods.parts import Method, Plugin
from benchmark.methods.plugins import GROUPS, find_here

_SHOWN = 12  # digits of a fingerprint


def admit(method: Method, named: Collection[str]) -> None:
    """Have the method's plug-ins found, where they may be imported.

    Args:
        method: as a store or a lock has it, whose word alone makes nothing run.
        named: the plug-ins that the user named, each as ``module:Class``.

    Raises:
        UserError: a plug-in is neither named nor installed, or its source here is not the one that the run was made
            with.
    """
    if named:
        find_here()
    for plugin in method.plugins:
        _admit(plugin, named)


def _admit(plugin: Plugin, named: Collection[str]) -> None:
    factory = repr(plugin.factory[:100])
    if plugin.factory not in named and not _is_installed(plugin.factory):
        raise UserError(
            f"the run names the plug-in {factory}, which is not installed, and was not imported: if you trust it, "
            f"name it with --plugin {plugin.factory[:100]!r}"
        )
    source = package_fingerprint(plugin.factory)
    if source != plugin.source:
        raise UserError(
            f"the source of plug-in {factory} has the fingerprint {source[:_SHOWN]} here, the run's has "
            f"{plugin.source[:_SHOWN]!r}, and was not imported: put back the source that the run was made with"
        )


def _is_installed(factory: str) -> bool:
    """Whether an installed package offers it as a plug-in: what merely lies in the current folder may be anybody's."""
    here = Path.cwd().resolve()
    points = (point for group in GROUPS.values() for point in entry_points(group=group) if point.value == factory)
    homes = [Path(str(point.dist.locate_file(""))).resolve() for point in points if point.dist is not None]
    if all(home == here for home in homes):
        return False
    return all(place.parent.resolve() != here for place in package_places(factory))

"""One run from its specification to its folder."""

import platform
import time
from collections.abc import Callable
from functools import lru_cache

from benchmark.base.files import write_json
from benchmark.base.fingerprints import package_fingerprint
from benchmark.data.conversations import Conversations
from benchmark.data.defects.remedies import Change
from benchmark.execution.memory import reset_peak_memory
from benchmark.execution.run_folder import begun, manifest, write_result
from benchmark.execution.tasks import Data, Task
from benchmark.experiment.provenance import provenance
from benchmark.experiment.spec import RunSpec
from benchmark.store.store import Store
from benchmark.training import checkpoint
from benchmark.training.run_data import run_data
from benchmark.training.trainer import Trainer, train

_CLAIM_SECONDS = 0.5  # between two attempts at a run that another process is making


@lru_cache(maxsize=2)
def _load(dataset: Data) -> tuple[Conversations, tuple[Change, ...]]:
    return dataset.load_remedied()


def execute(
    task: Task,
    store: Store,
    on_epoch: Callable[[Trainer], None],
    stop: Callable[[], bool],
    on_start: Callable[[], None] = lambda: None,
    on_wait: Callable[[], None] = lambda: None,
) -> bool:
    """Make one run, from its checkpoint where there is one, and write its folder.

    Where another process is making it, that one is waited for, and ``on_wait`` called once; ``on_start`` is called when
    this one makes it.

    Returns:
        True when the run is complete, False when ``stop`` ended it after an epoch, its checkpoint written.
    """
    key, waiting = task.spec.key, False
    while not stop():
        with store.claim(key) as granted:
            if granted:
                if store.is_whole(key):
                    return True
                on_start()
                return _make(task, store, on_epoch, stop)
        if not waiting:
            on_wait()
        waiting = True
        time.sleep(_CLAIM_SECONDS)
    return False


def _make(task: Task, store: Store, on_epoch: Callable[[Trainer], None], stop: Callable[[], bool]) -> bool:
    spec, folder, start = task.spec, store.folder(task.spec.key), time.perf_counter()
    _refuse_other_code(spec)
    reset_peak_memory(spec.provenance.device)
    whole, changes = _load(task.dataset)
    conversations, data = run_data(spec, whole)
    store.clear(spec.key)
    write_json(folder / "spec.json", spec.record())
    write_json(folder / "manifest.json", manifest(task, data, changes, begun(folder)))

    trainer = Trainer(spec, data, spec.provenance.device)
    checkpoint.load_checkpoint(folder, trainer)
    earlier = sum(trainer.progress.seconds.values())

    def after_epoch(trainer: Trainer) -> None:
        checkpoint.save_checkpoint(folder, trainer)
        on_epoch(trainer)

    if not train(trainer, after_epoch, stop):
        return False
    write_result(folder, trainer, conversations, data, earlier + time.perf_counter() - start)
    (folder / checkpoint.NAME).unlink(missing_ok=True)
    return True


def _refuse_other_code(spec: RunSpec) -> None:
    """Raise RuntimeError where this process would not make the run that its key says."""
    here = provenance(spec.provenance.data, spec.provenance.device)
    changed = [name for name, value in here if value != getattr(spec.provenance, name)]
    changed += [p.factory for p in spec.method.plugins if package_fingerprint(p.factory) != p.source]
    if changed:
        raise RuntimeError(
            f"{', '.join(changed)} changed after the grid was started, or is another on {platform.node()}, so this run "
            "would not be what its key says"
        )

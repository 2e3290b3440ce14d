"""Joining a Ray cluster (the extra ``ray``; docs/cluster.md), and what it has room for."""

import logging
import math
import socket

from benchmark.base.errors import UserError
from benchmark.execution.worker import environment
from benchmark.experiment.provenance import provenance

try:
    import ray
    from ray.exceptions import RayError
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy
except ImportError as error:
    raise UserError("--executor ray needs Ray: install it with pip install 'css-bench[ray]'") from error

_CONNECT_SECONDS = 5.0
_PROBE_SECONDS = 120.0  # for every node to start Python and say what it has


def connect(address: str) -> None:
    """Join the cluster whose head is at ``host:port``, once in a process.

    Raises:
        UserError: it cannot be reached, or a node has other code or libraries than this machine.
    """
    if ray.is_initialized():
        return
    host, _, port = address.rpartition(":")
    if not host or "/" in host or not port.isdecimal():
        raise UserError(f"--address {address!r}: write HOST:PORT, as ray start --head said it")
    try:  # Ray itself tries for minutes, then ends the process
        socket.create_connection((host, int(port)), _CONNECT_SECONDS).close()
        ray.init(
            address=address,
            log_to_driver=False,
            logging_level=logging.ERROR,
            runtime_env={"env_vars": environment()},
        )
    except (Exception, SystemExit) as error:
        reason = " ".join(str(error).split())[:300]
        raise UserError(
            f"no Ray cluster at {address} can be joined ({reason}): start one with ray start --head, and this command "
            "on one of its machines"
        ) from error
    _refuse_other_nodes()


def _refuse_other_nodes() -> None:
    """Raise UserError where a node would make other runs than their keys say."""
    here = _present()
    probe = ray.remote(num_cpus=0, max_retries=0)(_present)
    nodes = [node for node in ray.nodes() if node["Alive"] and node["Resources"].get("CPU")]
    places = [NodeAffinitySchedulingStrategy(node["NodeID"], soft=False) for node in nodes]
    answers = [probe.options(scheduling_strategy=place).remote() for place in places]
    for node, answer in zip(nodes, answers, strict=True):
        name = node["NodeManagerHostname"]
        try:
            remote = ray.get(answer, timeout=_PROBE_SECONDS)
        except RayError as error:
            raise UserError(
                f"node {name} cannot run css-bench ({' '.join(str(error).split())[-300:]}): install it there as here"
            ) from error
        if differing := [
            f"{what} {remote[what][:16]}, here {here[what][:16]}" for what in here if remote[what] != here[what]
        ]:
            raise UserError(
                f"node {name} would make other bits: {'; '.join(differing)}; install the same there as here"
            )


def _present() -> dict[str, str]:
    return {name: value for name, value in provenance("", "").model_dump().items() if value}


def capacity(runs_per_gpu: int = 0) -> int:
    """How many runs the cluster can make at once, each on one core and, unless that is 0, on its share of a GPU.

    At least 1: without room, a run waits for a node to join.
    """
    resources = ray.cluster_resources()
    cores = resources.get("CPU", 0.0)
    return max(1, int(min(cores, resources.get("GPU", 0.0) * runs_per_gpu) if runs_per_gpu else cores))


def gpu_share(runs_per_gpu: int) -> float:
    """What a run asks for of a GPU: Ray counts in ten-thousandths, and so many are to fit."""
    return math.floor(10_000 / runs_per_gpu) / 10_000 if runs_per_gpu else 0.0

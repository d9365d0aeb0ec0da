"""SecretFlow's engine (spu 0.9.5) on one workload of `unseen bench`: run in an environment of its own.

Usage: python peers/spu_workloads.py FOLDER. FOLDER/task.json names the work and its way; inputs lie beside it as
.npy, or as CSV for alignments (spu_alignment.py). Two processes over loopback (brpc, no TLS), SEMI2K over Z_2^64.
As the peer's default is, party 0 makes the correlated randomness. Compilation, sharing of inputs and one run to
warm up are not timed. The last line that is printed is JSON: seconds of one run, at the slower process; bytes that
crossed the wires; peak memory; and quality.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from time import perf_counter
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import spu
from processes import Ports, all_parties, bytes_received, linked, peak
from spu.utils import frontend
from spu_alignment import align

PARTIES = 2
BATCH, LEARNING_RATE = 1024, 0.1


def epoch(weights: Any, columns: Any, label: Any) -> Any:
    """One pass of mini-batch gradient descent as SecretFlow's SSRegression makes it by default: batches of
    1024 rows in order, learning rate 0.1, the logistic function by its first-order series, cut at 0 and 1."""
    batch = min(BATCH, len(label))
    for start in range(0, len(label) // batch * batch, batch):
        rows, truth = columns[start : start + batch], label[start : start + batch]
        line = 0.5 + (rows @ weights) * 0.25
        off = jnp.select([line < 0, line > 1], [0.0, 1.0], line) - truth
        weights = weights - LEARNING_RATE * ((rows.T @ off) / batch)
    return weights


FUNCTIONS = {
    "product": jnp.multiply,
    "comparison": jnp.less,
    "division": jnp.divide,
    "matrix-product": jnp.matmul,
    "logistic-function": jax.nn.sigmoid,
    "exponential": jnp.exp,
    "sort": jnp.sort,
    "logistic-regression": epoch,
}


def compiled(function: Any, arguments: list[Any]) -> spu.Executable:
    names = [f"in{place}" for place in range(len(arguments))]
    executable, _ = frontend.compile(
        frontend.Kind.JAX,
        function,
        arguments,
        {},
        names,
        [spu.Visibility.VIS_SECRET] * len(arguments),
        lambda found: [f"out{place}" for place in range(len(found))],
    )
    return executable


def configuration() -> spu.RuntimeConfig:
    return spu.RuntimeConfig(protocol=spu.ProtocolKind.SEMI2K, field=spu.FieldType.FM64)


def engine_party(rank: int, ports: Ports, job: dict[str, Any]) -> dict[str, Any]:
    """Run the compiled program once to warm up, and once more."""
    link = linked(rank, ports)
    runtime, executable = spu.Runtime(link, configuration()), spu.Executable(**job["executable"])
    for place, shares in enumerate(job["shares"]):
        runtime.set_var(f"in{place}", share(shares[rank]))
    runtime.run(executable)
    before, begun = bytes_received(), perf_counter()
    runtime.run(executable)
    seconds = perf_counter() - begun
    received = bytes_received() - before
    link.barrier()
    return {"seconds": seconds, "bytes": received, "peak_rss_mb": peak(), "out": plain(runtime.get_var("out0"))}


def quality(work: str, inputs: list[Any], result: Any) -> dict[str, float]:
    """How far the result is from NumPy's."""
    if work == "logistic-regression":
        scores, label = inputs[1] @ result, inputs[2]
        order = np.argsort(np.argsort(scores))
        bad = int(label.sum())
        return {"auc": float((order[label == 1].sum() - bad * (bad - 1) / 2) / (bad * (len(label) - bad)))}
    truth = {
        "product": lambda x, y: x * y,
        "comparison": lambda x, y: x < y,
        "division": lambda x, y: x / y,
        "matrix-product": lambda x, y: x @ y,
        "logistic-function": lambda x: 1 / (1 + np.exp(-x)),
        "exponential": np.exp,
        "sort": np.sort,
    }[work](*inputs)
    off = np.abs(np.asarray(result, dtype=np.float64) - truth)
    if work == "comparison":
        return {"wrong": float((off != 0).sum())}
    if work in {"division", "exponential"}:
        return {"relative_error": float((off / np.maximum(np.abs(truth), 1e-300)).max())}
    return {"error": float(off.max())}


def compute(work: str, folder: Path, ports: Ports, patience: float) -> dict[str, Any]:
    """Share the inputs, run the program between two processes, hold the result against NumPy's."""
    jax.config.update("jax_enable_x64", True)
    inputs = [np.load(path) for path in sorted(folder.glob("in*.npy"))]
    io = spu.Io(PARTIES, configuration())
    shares = [io.make_shares(value, spu.Visibility.VIS_SECRET) for value in inputs]
    executable = compiled(FUNCTIONS[work], inputs)
    fields = {name: getattr(executable, name) for name in ("name", "input_names", "output_names", "code")}
    job = {"executable": fields, "shares": [[plain(part) for part in parts] for parts in shares]}
    found = all_parties(engine_party, ports, job, patience)
    result = io.reconstruct([share(told["out"]) for told in found])
    return figures(found) | quality(work, inputs, result)


def figures(found: list[dict[str, Any]]) -> dict[str, Any]:
    """Seconds of the slowest party, bytes of all, memory of the largest."""
    return {
        "seconds": max(told["seconds"] for told in found),
        "bytes": sum(told["bytes"] for told in found),
        "peak_rss_mb": max(told["peak_rss_mb"] for told in found),
    }


def main() -> None:
    folder = Path(sys.argv[1])
    task = json.loads((folder / "task.json").read_text())
    if task["work"].startswith("align"):
        found = align(task["way"], folder, task, task["patience"])
        report = figures(found) | {
            name: found[0][name] for name in ("common", "preparation_seconds") if name in found[0]
        }
    else:
        report = compute(task["work"], folder, task, task["patience"])
    print(json.dumps(report))


def plain(part: Any) -> tuple[bytes, list[bytes]]:
    """A share as bytes, which another process can take."""
    return part.meta, list(part.share_chunks)


def share(told: tuple[bytes, list[bytes]]) -> Any:
    meta, chunks = told
    whole = spu.libspu.Share()
    whole.meta = meta
    whole.share_chunks = chunks
    return whole


if __name__ == "__main__":
    main()

"""SecretFlow's engine (spu 0.9.5) on one workload of `unseen bench`: run in an environment of its own.

Usage: python peers/spu_workloads.py FOLDER. FOLDER/task.json names the work and how often it is repeated; inputs
lie beside it as .npy. Two processes over loopback (brpc, no TLS), SEMI2K over Z_2^64. As the peer's default is,
party 0 makes the correlated randomness. Compilation, sharing of inputs and one run to warm up are not timed.
The last line that is printed is JSON: seconds of each run, at the slower process; peak memory; and quality.
"""

from __future__ import annotations

import json
import multiprocessing
import resource
import socket
import sys
from pathlib import Path
from time import perf_counter
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import spu
import spu.psi
from spu.utils import frontend

PARTIES = 2
BATCH, LEARNING_RATE = 1024, 0.1
SPAWN = multiprocessing.get_context("spawn")
"""Not fork: the engine has threads by the time that the parties are started."""


def epoch(weights: Any, columns: Any, label: Any) -> Any:
    """One pass of mini-batch gradient descent, as SecretFlow's SSRegression does it."""

    batch = min(BATCH, len(label))

    def step(number: Any, weights: Any) -> Any:
        rows = jax.lax.dynamic_slice_in_dim(columns, number * batch, batch)
        truth = jax.lax.dynamic_slice_in_dim(label, number * batch, batch)
        off = jax.nn.sigmoid(rows @ weights) - truth
        return weights - LEARNING_RATE / batch * (rows.T @ off)

    return jax.lax.fori_loop(0, len(label) // batch, step, weights)


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


def linked(rank: int, ports: list[int]) -> Any:
    description = spu.libspu.link.Desc()
    description.recv_timeout_ms = 600_000
    for party, port in enumerate(ports):
        description.add_party(f"party{party}", f"127.0.0.1:{port}")
    return spu.link.create_brpc(description, rank)


def engine_party(rank: int, ports: list[int], job: dict[str, Any], results: Any) -> None:
    """Run the compiled program `repeat` times, each `passes` times with its first output fed back."""
    runtime, executable = spu.Runtime(linked(rank, ports), configuration()), spu.Executable(**job["executable"])
    for place, shares in enumerate(job["shares"]):
        runtime.set_var(f"in{place}", share(shares[rank]))
    runtime.run(executable)
    seconds = []
    for _ in range(job["repeat"]):
        runtime.set_var("in0", share(job["shares"][0][rank]))
        begun = perf_counter()
        for passed in range(job["passes"]):
            if passed:
                runtime.set_var("in0", runtime.get_var("out0"))
            runtime.run(executable)
        seconds.append(perf_counter() - begun)
    results.put((rank, seconds, peak(), plain(runtime.get_var("out0"))))


def alignment_party(rank: int, ports: list[int], job: dict[str, Any], results: Any) -> None:
    link, folder, seconds, common = linked(rank, ports), Path(job["folder"]), [], 0
    for _ in range(job["repeat"]):
        asked = spu.psi.PsiExecuteConfig(
            protocol_conf=spu.psi.PsiProtocolConfig(
                protocol=spu.psi.PsiProtocol.__members__["PROTOCOL_" + job["protocol"]],
                receiver_rank=0,
                broadcast_result=True,
                ecdh_params=spu.psi.EcdhParams(curve=spu.psi.EllipticCurveType.CURVE_25519),
            ),
            input_params=spu.psi.InputParams(
                path=str(folder / f"keys{rank}.csv"), selected_keys=["id"], keys_unique=True
            ),
            output_params=spu.psi.OutputParams(path=str(folder / f"common{rank}.csv")),
        )
        begun = perf_counter()
        report = spu.psi.psi_execute(asked, link)
        seconds.append(perf_counter() - begun)
        common = report.intersection_count
    results.put((rank, seconds, peak(), common))


def peak() -> float:
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)


def free_ports() -> list[int]:
    listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(PARTIES)]
    ports = [listener.getsockname()[1] for listener in listeners]
    for listener in listeners:
        listener.close()
    return ports


def both(party: Any, job: dict[str, Any]) -> list[Any]:
    """Run the two parties; what they report, in order."""
    results, ports = SPAWN.Queue(), free_ports()
    running = [SPAWN.Process(target=party, args=(rank, ports, job, results)) for rank in range(PARTIES)]
    for process in running:
        process.start()
    try:
        found = sorted((results.get(timeout=job["patience"]) for _ in running), key=lambda told: told[0])
    finally:
        for process in running:
            process.kill()
            process.join()
    return found


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


def main() -> None:
    folder = Path(sys.argv[1])
    task = json.loads((folder / "task.json").read_text())
    job = {"repeat": task["repeat"], "patience": task["patience"], "folder": str(folder)}
    if task["work"] == "align":
        found = both(alignment_party, {**job, "protocol": task["protocol"]})
        more: dict[str, float] = {"common": found[0][3]}
    else:
        jax.config.update("jax_enable_x64", True)
        inputs = [np.load(path) for path in sorted(folder.glob("in*.npy"))]
        io = spu.Io(PARTIES, configuration())
        shares = [io.make_shares(value, spu.Visibility.VIS_SECRET) for value in inputs]
        executable = compiled(FUNCTIONS[task["work"]], inputs)
        fields = {name: getattr(executable, name) for name in ("name", "input_names", "output_names", "code")}
        told_all = [[plain(part) for part in parts] for parts in shares]
        more_job = {"executable": fields, "shares": told_all, "passes": task["passes"]}
        found = both(engine_party, {**job, **more_job})
        result = io.reconstruct([share(told[3]) for told in found])
        more = quality(task["work"], inputs, result)
    seconds = [max(pair) for pair in zip(*(told[1] for told in found), strict=True)]
    print(json.dumps({"seconds": seconds, "peak_rss_mb": max(told[2] for told in found), **more}))


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

"""Compile what the main job will need, once a machine: a small alignment and fit with the parties as threads."""

from __future__ import annotations


def compile_kernels() -> None:
    """Run every kernel that a scorecard uses on a few rows. Fast when they are compiled already."""
    import numpy as np
    import pyarrow as pa

    from unseen.computation.circle import Circle
    from unseen.computation.in_process import run_parties
    from unseen.computation.intersect.align import Method, align
    from unseen.computation.intersect.keys import from_arrow
    from unseen.computation.learn.columns import Block
    from unseen.computation.learn.fit import predict_scores
    from unseen.computation.learn.logistic import fit_logistic
    from unseen.computation.learn.woe import outcome_counts
    from unseen.data.contract import normalised

    rows = 64
    columns = np.column_stack([np.cos(np.arange(rows)), np.sin(3.0 * np.arange(rows))])
    label = (np.arange(rows) % 3 == 0).astype(np.float64)
    names = normalised(pa.array([f"Customer {number}" for number in range(rows)]))

    def program(circle: Circle) -> None:
        mine = circle.rank == 0
        align(circle, from_arrow(names), 1, method=Method.OLE)
        bins = None if mine else np.arange(rows).reshape(-1, 1) % 4
        outcome_counts(circle, 1, bins, [4], label if mine else None, 0, rows)
        blocks = [
            Block(rank, ("x",), rows, columns[:, [rank]] if circle.rank == rank else None) for rank in (0, 1)
        ]
        predict_scores(circle, blocks, fit_logistic(circle, blocks, label if mine else None, 0))

    run_parties(program, 2, patience=120.0)

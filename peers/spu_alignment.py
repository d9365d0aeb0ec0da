"""SecretFlow's alignment (libpsi in spu 0.9.5): from CSV to CSV, one process a party.

Ways: RR22, RR22-low (its low-communication mode), ECDH, KKRT-3 (three parties), and UB, its unbalanced mode:
party 0 prepares its large side and hands party 1 a cache (not timed as `seconds`), then party 1 asks.
"""

from __future__ import annotations

from pathlib import Path
from time import perf_counter
from typing import Any

import spu.psi
from processes import Ports, all_parties, bytes_received, linked, peak

PROTOCOLS = {"RR22": "RR22", "RR22-low": "RR22", "ECDH": "ECDH", "KKRT-3": "KKRT_NPC"}
KEY_BYTES = bytes(range(1, 33))
"""The large side's key of the unbalanced mode, which wants it in a file: made-up data, a made-up key."""


def align(way: str, folder: Path, ports: Ports, patience: float) -> list[dict[str, Any]]:
    """One alignment; figures of every party."""
    party = unbalanced_party if way == "UB" else alignment_party
    return all_parties(party, ports, {"folder": str(folder), "way": way}, patience)


def alignment_party(rank: int, ports: Ports, job: dict[str, Any]) -> dict[str, Any]:
    link, before = linked(rank, ports), bytes_received()
    asked = spu.psi.PsiExecuteConfig(
        protocol_conf=spu.psi.PsiProtocolConfig(
            protocol=spu.psi.PsiProtocol.__members__["PROTOCOL_" + PROTOCOLS[job["way"]]],
            receiver_rank=0,
            broadcast_result=True,
            ecdh_params=spu.psi.EcdhParams(curve=spu.psi.EllipticCurveType.CURVE_25519),
            rr22_params=spu.psi.Rr22Rarams(low_comm_mode=job["way"] == "RR22-low"),
        ),
        input_params=_input(rank, job),
        output_params=_output(rank, job),
    )
    begun = perf_counter()
    report = spu.psi.psi_execute(asked, link)
    seconds = perf_counter() - begun
    return _figures(link, seconds, before, report)


def unbalanced_party(rank: int, ports: Ports, job: dict[str, Any]) -> dict[str, Any]:
    link, folder, large = linked(rank, ports), Path(job["folder"]), rank == 0
    role = spu.psi.UbPsiRole.ROLE_SERVER if large else spu.psi.UbPsiRole.ROLE_CLIENT
    cache, key = str(folder / f"cache{rank}"), folder / "large-side.key"
    if large:
        key.write_bytes(KEY_BYTES)
    server = spu.psi.UbPsiServerParams(secret_key_path=str(key) if large else "")
    begun = perf_counter()
    spu.psi.ub_psi_execute(
        spu.psi.UbPsiExecuteConfig(
            mode=spu.psi.UbPsiMode.MODE_OFFLINE,
            role=role,
            cache_path=cache,
            input_params=_input(rank, job) if large else spu.psi.InputParams(),
            server_params=server,
        ),
        link,
    )
    prepared, before, begun = perf_counter() - begun, bytes_received(), perf_counter()
    report = spu.psi.ub_psi_execute(
        spu.psi.UbPsiExecuteConfig(
            mode=spu.psi.UbPsiMode.MODE_ONLINE,
            role=role,
            server_receive_result=True,
            client_receive_result=True,
            cache_path=cache,
            input_params=_input(rank, job),
            output_params=_output(rank, job),
            server_params=server,
        ),
        link,
    )
    return _figures(link, perf_counter() - begun, before, report) | {"preparation_seconds": prepared}


def _figures(link: Any, seconds: float, before: int, report: Any) -> dict[str, Any]:
    received = bytes_received() - before
    link.barrier()
    return {"seconds": seconds, "bytes": received, "peak_rss_mb": peak(), "common": report.intersection_count}


def _input(rank: int, job: dict[str, Any]) -> Any:
    path = str(Path(job["folder"]) / f"keys{rank}.csv")
    return spu.psi.InputParams(path=path, selected_keys=["id"], keys_unique=True)


def _output(rank: int, job: dict[str, Any]) -> Any:
    return spu.psi.OutputParams(path=str(Path(job["folder"]) / f"common{rank}.csv"))

"""Programs of the workloads, by what they measure."""

"""Secret sharing: arrays that all parties hold and none can read."""

"""The persons in the data: what they consented and objected to, who is erased, and whose record was used when."""

"""unseen: financial institutions compute together on personal data that none of them shows to another."""

__version__ = "0.1.0"

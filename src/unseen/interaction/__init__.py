"""Between institutions and with people: identity, agreements, plans, grants, sessions, ledgers."""

"""What a bank does with it. Each application is an installed entry point of group `unseen.applications`."""

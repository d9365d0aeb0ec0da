"""The commands about protected data, persons and keys, as data."""

from __future__ import annotations

from typing import Final

from unseen.cli.command import Command

DATA_COMMANDS: Final = (
    Command(
        "dataset classify",
        "unseen.cli.stewardship:classify",
        "Find personal data by values and names of columns, with evidence; asks before it records.",
        "unseen dataset classify loans --set score=user.financial --yes --home lender",
    ),
    Command(
        "dataset steward",
        "unseen.cli.stewardship:steward",
        "Set who answers for a data set, how long its rows are kept, and where its persons live.",
        "unseen dataset steward loans --owner retail --retention 3650:closed --jurisdiction EU --home lender",
    ),
    Command(
        "dataset release-preview",
        "unseen.cli.stewardship:release_preview",
        "Show exactly what would leave the source under an agreement, for whom and why; nothing leaves.",
        "unseen dataset release-preview loans --agreement 4be1 --home lender",
    ),
    Command(
        "dataset contract",
        "unseen.cli.stewardship:contract",
        "Write a data set's entry as an Open Data Contract Standard document.",
        "unseen dataset contract loans --to loans.odcs.yaml --home lender",
    ),
    Command(
        "dataset adopt",
        "unseen.cli.stewardship:adopt",
        "Take in a data contract as an entry, once its source has the columns that it names.",
        "unseen dataset adopt loans.odcs.yaml --home lender",
    ),
    Command(
        "dataset protect",
        "unseen.cli.protection:protect",
        "Choose how columns are protected before they leave; without a choice, show those there are.",
        "unseen dataset protect loans phone=mask:last=3 income=bins:edges=0/20000/50000 --home lender",
    ),
    Command(
        "dataset risk",
        "unseen.cli.protection:risk",
        "Measure the risk that persons are found again, before and after generalising columns.",
        "unseen dataset risk loans --by age,zip --sensitive default --k 5 --home lender",
    ),
    Command(
        "dataset reverse",
        "unseen.cli.protection:reverse",
        "Take a protection off the values of a file that came back, for a reason on record.",
        "unseen dataset reverse loans card back.csv --who ann --why fraud-88 --agreement 4be1 --to clear.csv"
        " --home lender",
    ),
    Command(
        "dataset export",
        "unseen.cli.protection:export",
        "Write a protected copy that is marked for its recipient, so that a leaked one names them.",
        "unseen dataset export loans --recipient auditor --to loans-auditor.csv --home lender",
    ),
    Command(
        "dataset trace",
        "unseen.cli.protection:trace",
        "Name the recipient of an exported copy that was found.",
        "unseen dataset trace found.csv --home lender",
    ),
    Command(
        "dataset synthesise",
        "unseen.cli.synthetic:synthesise",
        "Make a synthetic copy with differential privacy, for a partner to develop against.",
        "unseen dataset synthesise loans --to loans-synthetic.csv --epsilon 1 --home lender",
    ),
    Command(
        "dataset purge",
        "unseen.cli.protection:purge",
        "Count, or with --yes remove, the rows that are past their retention.",
        "unseen dataset purge loans --yes --home lender",
    ),
    Command(
        "subject consent",
        "unseen.cli.subjects:consent",
        "Record that a person consents to a purpose or withdraws; many persons from a CSV file.",
        "unseen subject consent LC-204117 --purpose credit --source branch-7 --home lender",
    ),
    Command(
        "subject object",
        "unseen.cli.subjects:object_",
        "Record that a person objects to a purpose, or lifts an objection; many from a CSV file.",
        "unseen subject object LC-204117 --purpose credit --evidence letter-88 --home lender",
    ),
    Command(
        "subject erase",
        "unseen.cli.subjects:erase",
        "Use a person's record for nothing any more; list the runs that used it.",
        "unseen subject erase LC-204117 --evidence request-19 --home lender",
    ),
    Command(
        "subject access",
        "unseen.cli.subjects:access",
        "Tell what there is about a person: data sets, their own words, runs that used their record.",
        "unseen subject access LC-204117 --home lender",
    ),
    Command(
        "key show",
        "unseen.cli.keys:show",
        "Show the keysets under which files are sealed, and where the key lies that opens them.",
        "unseen key show --home lender",
    ),
    Command(
        "key rotate",
        "unseen.cli.keys:rotate",
        "Seal under fresh keys from now on; what older keys sealed stays readable, and nothing stops.",
        "unseen key rotate --home lender",
    ),
    Command(
        "key refresh",
        "unseen.cli.keys:refresh",
        "Erase the set-ups that are kept with partners between runs; the next run makes fresh ones.",
        "unseen key refresh bureau --home lender",
    ),
    Command(
        "key make",
        "unseen.cli.keys:make",
        "Print a fresh key-encryption key, to be put into a variable or a file of mode 0600.",
        "unseen key make",
    ),
    Command(
        "key move",
        "unseen.cli.keys:move",
        "Put all keysets under another key-encryption key: in a file, a variable, or a service.",
        "unseen key move env:UNSEEN_MASTER_KEY --home lender",
    ),
)

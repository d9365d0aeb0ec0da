"""All commands as data: their words, the function behind each, one sentence, an example."""

from __future__ import annotations

from typing import Final

from unseen.cli.command import Command
from unseen.cli.data_commands import DATA_COMMANDS

__all__ = ["COMMANDS", "GROUPS", "Command"]


GROUPS: Final = {
    "dataset": "Data sets on offer to partners, column by column.",
    "agree": "Agreements between institutions.",
    "job": "One job: look at it, open its results, stop it.",
    "key": "Keys of what lies on disk: keysets, their rotation, the key that opens them.",
    "law": "Law packs: what they ask for, what they say of a plan, drafts for the register.",
    "people": "The people of this institution, their roles and approvals.",
    "subject": "Persons in the data: what they consent and object to, erasure, what was done with their record.",
    "plan": "Plans: what a request would do, and what each party would learn.",
}

COMMANDS: Final = (
    Command(
        "demo",
        "unseen.cli.demo:demo",
        "A lender and a credit bureau build a scorecard, from keys to report, on this machine.",
        "unseen demo --home /tmp/demo",
    ),
    Command(
        "init",
        "unseen.cli.institution:init",
        "Make an institution's home: keys, card, database and ledger.",
        "unseen init lender --home lender --listen 127.0.0.1:7601",
    ),
    Command(
        "node",
        "unseen.cli.serve:node",
        "Run the institution's node until it is stopped.",
        "unseen node --home lender",
    ),
    Command(
        "card",
        "unseen.cli.institution:card",
        "Show this institution's card and fingerprint, or write the card to a file for a partner.",
        "unseen card --home lender --to lender.card",
    ),
    Command(
        "introduce",
        "unseen.cli.institution:introduce",
        "Trust a partner's card from now on; compare its fingerprint by telephone first.",
        'unseen introduce bureau.card --fingerprint "3f9a 11c0 …" --home lender',
    ),
    Command(
        "renew",
        "unseen.cli.institution:renew",
        "Make a new node key and certificate under this institution's root, before the old one expires.",
        "unseen renew --home lender",
    ),
    Command(
        "partners",
        "unseen.cli.institution:partners",
        "List the partners that were introduced, and whether their nodes answer.",
        "unseen partners --home lender",
    ),
    Command(
        "dataset add",
        "unseen.cli.datasets:add",
        "Put a data set on offer: where it lies, which column names the person, what columns may be used for.",
        "unseen dataset add loans loans.parquet --subject member_id --use amount=feature --home lender",
    ),
    Command(
        "dataset list",
        "unseen.cli.datasets:list_all",
        "List the data sets on offer.",
        "unseen dataset list --home lender",
    ),
    Command(
        "dataset show",
        "unseen.cli.datasets:show",
        "Show one data set: what its columns hold, their level, uses and protections; rows and freshness.",
        "unseen dataset show loans --home lender",
    ),
    Command(
        "dataset allow",
        "unseen.cli.datasets:allow",
        "Change what columns may be used for; makes a new version of the entry.",
        "unseen dataset allow loans amount=feature,aggregate --home lender",
    ),
    Command(
        "dataset check",
        "unseen.cli.datasets:check",
        "Check that a data set's keys are fit to join on: empty, repeated, malformed.",
        "unseen dataset check loans --key phone=unseen-phone/1:DE --home lender",
    ),
    *DATA_COMMANDS,
    Command(
        "agree propose",
        "unseen.cli.agreements:propose",
        "Sign an agreement written in YAML and send it to its parties.",
        "unseen agree propose scorecard.yaml --home lender",
    ),
    Command(
        "agree sign",
        "unseen.cli.agreements:sign",
        "Sign an agreement that a partner has proposed, and tell the other parties.",
        "unseen agree sign 4be1 --home bureau",
    ),
    Command(
        "agree show",
        "unseen.cli.agreements:show",
        "Show an agreement's terms and who has signed.",
        "unseen agree show 4be1 --home bureau",
    ),
    Command(
        "agree list",
        "unseen.cli.agreements:list_all",
        "List the agreements known here.",
        "unseen agree list --home bureau",
    ),
    Command(
        "agree new",
        "unseen.cli.agreement_life:new",
        "Write a draft agreement from a template, to be filled in.",
        "unseen agree new --template credit --to scorecard.yaml",
    ),
    Command(
        "agree diff",
        "unseen.cli.agreement_life:diff",
        "Show what changes between two agreements, field by field.",
        "unseen agree diff 4be1 scorecard-2.yaml --home lender",
    ),
    Command(
        "agree amend",
        "unseen.cli.agreement_life:amend",
        "Propose new terms as the next version of an agreement; the older one stays readable.",
        "unseen agree amend 4be1 scorecard-2.yaml --home lender",
    ),
    Command(
        "agree counter",
        "unseen.cli.agreement_life:counter",
        "Offer other terms instead of a partner's proposal.",
        "unseen agree counter 4be1 ours.yaml --home bureau",
    ),
    Command(
        "agree suspend",
        "unseen.cli.agreement_life:suspend",
        "Stop an agreement's running jobs at all parties at once, and grant no more.",
        "unseen agree suspend 4be1 --reason incident --home lender",
    ),
    Command(
        "agree resume",
        "unseen.cli.agreement_life:resume",
        "Lift a suspension that this institution made.",
        "unseen agree resume 4be1 --home lender",
    ),
    Command(
        "agree terminate",
        "unseen.cli.agreement_life:terminate",
        "End an agreement for good; its running jobs stop at all parties.",
        "unseen agree terminate 4be1 --home lender",
    ),
    Command(
        "agree leave",
        "unseen.cli.agreement_life:leave",
        "Leave a partnership: terminate, revoke our key in it, withdraw results.",
        "unseen agree leave 4be1 --withdraw 1f03 --home bureau",
    ),
    Command(
        "agree tell",
        "unseen.cli.agreement_life:tell",
        "Send all notices about an agreement to its parties again.",
        "unseen agree tell 4be1 --home lender",
    ),
    Command(
        "plan show",
        "unseen.cli.plans:show",
        "Show on one page, for a lawyer, what a request would do and what each party would learn.",
        "unseen plan show credit request.yaml --agreement 4be1 --to plan.html --home lender",
    ),
    Command(
        "plan prepare",
        "unseen.cli.requests:prepare",
        "Fix a request's job and seed, so that people can approve its exact plan.",
        "unseen plan prepare credit request.yaml --agreement 4be1 --to prepared.json --home lender",
    ),
    Command(
        "law list",
        "unseen.cli.law:list_all",
        "List the law packs of this installation.",
        "unseen law list",
    ),
    Command(
        "law explain",
        "unseen.cli.law:explain",
        "Explain a rule of a law pack: article, reason, evidence, mend.",
        "unseen law explain gdpr-35",
    ),
    Command(
        "law terms",
        "unseen.cli.law:list_terms",
        "List the purposes and categories of data, of W3C DPV and fideslang, that an agreement may name.",
        "unseen law terms credit",
    ),
    Command(
        "law own",
        "unseen.cli.law:own",
        "Write an own policy to start from, or show the one there is; it is asked beside the law packs.",
        "unseen law own --home lender",
    ),
    Command(
        "law check",
        "unseen.cli.law:check",
        "Ask all law packs that apply about a request's plan, without running it.",
        "unseen law check credit request.yaml --agreement 4be1 --home lender",
    ),
    Command(
        "law record",
        "unseen.cli.law:record",
        "Write a draft of the record of processing (GDPR art. 30) from the agreements.",
        "unseen law record --to record.json --home lender",
    ),
    Command(
        "law assessment",
        "unseen.cli.law:assessment",
        "Write a draft of the impact assessment (GDPR art. 35) of a request's plan.",
        "unseen law assessment credit request.yaml --agreement 4be1 --home lender",
    ),
    Command(
        "people enrol",
        "unseen.cli.staff:enrol",
        "Enrol a person in roles, with a key of their own; without a role, dismiss them.",
        "unseen people enrol ann --role officer --key ann.key --home lender",
    ),
    Command(
        "people list",
        "unseen.cli.staff:list_all",
        "List the people enrolled here, with their roles.",
        "unseen people list --home lender",
    ),
    Command(
        "approve",
        "unseen.cli.staff:approve_plan",
        "Approve a prepared request's exact plan, or all plans like a request's up to a quota.",
        "unseen approve credit request.yaml --agreement 4be1 --as ann --key ann.key --home lender",
    ),
    Command(
        "run",
        "unseen.cli.jobs:run",
        "Run an application with the partners of an agreement, and wait for the end.",
        "unseen run credit request.yaml --agreement 4be1 --home lender",
    ),
    Command(
        "jobs",
        "unseen.cli.jobs:list_all",
        "List the jobs that this institution took part in.",
        "unseen jobs --home lender",
    ),
    Command(
        "job show",
        "unseen.cli.jobs:show",
        "Show one job: state, what each party learned, bytes, and why it failed if it did.",
        "unseen job show 1f03 --home lender",
    ),
    Command(
        "job open",
        "unseen.cli.jobs:open_results",
        "Write a job's sealed results out in the clear; the ledger notes it.",
        "unseen job open 1f03 --to results --home lender",
    ),
    Command(
        "job stop",
        "unseen.cli.jobs:stop",
        "End a running job at all parties.",
        "unseen job stop 1f03 --home lender",
    ),
    Command(
        "verify",
        "unseen.cli.verification:verify",
        "Verify copied ledger folders or bundles offline: digests, signatures, receipts.",
        "unseen verify lender/ledger bureau/ledger",
    ),
    Command(
        "export",
        "unseen.cli.evidence:export",
        "Write a bundle for a supervisor, of the ledger or of one job, that verifies offline.",
        "unseen export evidence.zip --job 1f03 --home lender",
    ),
    Command(
        "stamp",
        "unseen.cli.evidence:stamp",
        "Have the ledger's newest head stamped by a time-stamp authority (RFC 3161).",
        "unseen stamp --authority https://tsa.example/ --root tsa.pem --home lender",
    ),
    Command(
        "lineage",
        "unseen.cli.evidence:trace",
        "Print a job's lineage as W3C PROV-JSON.",
        "unseen lineage 1f03 --home lender",
    ),
    Command(
        "bench",
        "unseen.cli.bench:bench",
        "Measure workloads between real processes over TLS on this machine.",
        "unseen bench align --size 65536 --json",
    ),
)

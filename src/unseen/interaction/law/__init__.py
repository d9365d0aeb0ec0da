"""Law packs: what the law of the persons in the data requires of a plan, checked before anything runs.

A pack is a folder: policies in Cedar, each with the article it comes from, the evidence that it requires, a
reason in plain language and the mend; and cases, permitted and refused, which are its tests. Which packs apply
follows from the jurisdictions of persons and parties; several apply together, and all must permit.

This supports legal advice and does not replace it. A pack checks that what an agreement states and what is on
record fit a rule; it cannot know whether the statement is true, nor every rule that may apply.
"""

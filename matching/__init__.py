"""Who could meet whom, and why: hard rules, scores, the best pairs and what any other would cost.

The rules of this room:

* Pure: no SQL, no Temporal, no clock, no randomness. People and rules come in, pairs and reasons come out.
* Integers only, and no percentage. What is better is decided level by level, in the order of the `objective`.
* The same people give the same pairs, whatever the order in which they come: they are sorted by id first.
* No candidate is left out to be faster: that would lose people.
"""

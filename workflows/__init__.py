"""The durable half: workflows that wait and remember. They decide nothing that `lifecycle` can decide, touch
nothing that `activities` can touch, and know no name, no address and no answer.
"""

"""The pages, over HTTP.

Thin over `operations`, which writes whatever is written.
"""

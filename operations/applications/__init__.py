"""Applying to an open call: the call, applications, wishes, and the lists that coordinators read."""

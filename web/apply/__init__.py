"""The pages of an open call: the public page to apply, and the own page of an application behind its link."""

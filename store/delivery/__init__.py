"""SQL about delivery: due items, mails in flight, their results and bounces."""

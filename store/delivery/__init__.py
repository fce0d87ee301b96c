"""SQL about delivery: what is due, mails on their way, their results and bounces."""

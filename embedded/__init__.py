"""The whole stack on one machine: Temporal's development server, mailbox, pages, worker."""

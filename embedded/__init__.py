"""The whole stack on one machine: Temporal's development server, mailbox, status page, worker."""

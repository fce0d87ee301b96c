"""What every process needs: settings, logs, tracing, links, the Temporal client, the outbox relay."""

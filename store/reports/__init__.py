"""SQL that only reads: status, timelines, ledgers, metrics."""

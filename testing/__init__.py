"""What tests, faults and scripts share: servers, sinks, databases, worlds to run an engine in. Nothing that ships imports it."""

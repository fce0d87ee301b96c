"""The participant's pages. Thin over `operations`: whatever is written is written there."""

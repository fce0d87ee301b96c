"""Scripts for developers: generated pages, pictures, stored histories, the fingerprint of workflow code."""

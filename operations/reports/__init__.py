"""What came of a cohort: its report, the evidence pack, voices with consent, and who would give back."""

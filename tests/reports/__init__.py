"""What came of a cohort."""

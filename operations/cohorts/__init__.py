"""What coordinators do with a cohort: load, plan, preview, rehearse, launch, adopt, cancel."""

"""What must hold in a program, a cohort or a form beyond its types, and how an error is told."""

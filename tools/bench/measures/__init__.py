"""What is measured: each module has one function `measure` that returns the lines of the table."""

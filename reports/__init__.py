"""What came of a cohort: every figure is one function over rows, and one gate decides which numbers may leave.

Pure: no SQL, no clock, no network. Figures and the gate must not know how they are shown; what shows them must not
count.
"""

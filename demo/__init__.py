"""A season to look at: simulated people who read real mail, open the links in it and post the forms over HTTP."""

"""The coordinators' web: what a coordinator sees and does in a browser. It reads through `store/`, acts through
`operations/`, and writes no row itself."""

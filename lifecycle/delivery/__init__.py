"""Delivery rules (lifecycle 2): open letterboxes, what leaves a postbox, what holds and pauses keep back."""

"""Delivery rules (lifecycle 2): when a letterbox is open, what leaves a postbox, what holds and pauses keep back."""

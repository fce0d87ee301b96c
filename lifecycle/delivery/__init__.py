"""Delivery rules: when a letterbox is open, what leaves a postbox, what a hold or a pause keeps back (lifecycle 2)."""

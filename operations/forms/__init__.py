"""What happens to a submitted form: parsing, checking, saving, agreements."""

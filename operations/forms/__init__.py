"""What happens to a submitted form: parse, check, save, agreements."""

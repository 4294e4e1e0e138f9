"""What a model is given: history as text, the status block, reports."""

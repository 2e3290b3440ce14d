"""MLflow, the view of the store."""

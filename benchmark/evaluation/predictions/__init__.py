"""Another code base's predictions as runs of the store (docs/imports.md)."""

"""Points in space from where several cameras saw them."""

"""The pages of the function preferences: their words, their looks, their templates, and what puts them together."""

"""Signals as authors write them -> domain.rulebook.Signal: their kinds, their values, and one another."""

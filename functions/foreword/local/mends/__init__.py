"""moto 5.2.5 does not always do what AWS does; each module here mends one such fault from outside.

A mend is a context manager: it puts its function in place of moto's and takes it away again, so that nothing is
changed while no cloud is up. Each has a test that shows the fault without it. When moto is updated, delete
the mends whose first test no longer fails.
"""

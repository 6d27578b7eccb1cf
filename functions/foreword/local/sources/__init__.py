"""What wakes a function: an asynchronous invocation, a queue, a table's stream, a schedule.

Each source takes one step at a time when the pump asks, and says when it next has something to do.
"""

"""What each kind of signal remembers of one customer, and its value at an instant.

A tracker holds no customer: it works on a memory that the customer's state keeps, so one compiled rulebook serves
all. Facts come in the order of rules.md (event time, then first receipt); whoever calls must rebuild from the
journal where one comes late.

Values are asked for at `t`, or just before it: in the limit an event at exactly `t - W` is still inside the window
and one at `t` is not yet there (rules.md, Windows and Firing). So a memory keeps what is exactly `W` old, and what
an event of this very instant covered up.
"""

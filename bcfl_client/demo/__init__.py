"""`bcfl demo`: the whole life of a task on one machine, with real parts."""

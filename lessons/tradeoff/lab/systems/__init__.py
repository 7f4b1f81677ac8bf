"""The lesson's systems, run for real on one machine: a module or package each, one contract.

Every system takes the same orders, makes the same table and reports the same figures: see
`contract`. What a system needs beside the course's own packages is looked for, never assumed
(`needs`); what it starts is ended with it (`processes`). Programs that run in an environment or a
language of their own lie in `tradeoff/lab/programs/`.
"""

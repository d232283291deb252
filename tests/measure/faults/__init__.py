"""The fault bench: whole nights, disturbed and resumed, against an undisturbed one.

``python -m tests.measure.faults --help``
"""

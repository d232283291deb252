"""Measurements that take longer than a test may; their small sizes run in the suite."""

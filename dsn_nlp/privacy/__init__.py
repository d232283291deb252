"""Rights and duties over personal information: erasure, retention, registers, risk, roles."""

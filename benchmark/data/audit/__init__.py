"""What a reviewer must know about a feature file: counts, damaged vectors, copies across splits, overlap."""

from benchmark.data.audit.auditing import Audit, audit, audit_file, summary
from benchmark.data.audit.findings import Finding

__all__ = ["Audit", "Finding", "audit", "audit_file", "summary"]

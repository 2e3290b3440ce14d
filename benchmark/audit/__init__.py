"""What a reviewer must know about a feature file: counts, damaged vectors, copies across splits, overlap."""

from benchmark.audit.audit import audit, audit_file, summary
from benchmark.audit.result import Audit, Finding

__all__ = ["Audit", "Finding", "audit", "audit_file", "summary"]

"""What is wrong with a network, in plain words: `diagnose` and what it returns."""

from nnlearn.diagnosis.examination import diagnose
from nnlearn.diagnosis.findings import Finding, Findings

__all__ = ["Finding", "Findings", "diagnose"]

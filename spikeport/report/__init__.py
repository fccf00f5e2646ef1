"""One page about networks: everything that was measured, in a single HTML file.

from spikeport.report import write_report
write_report(["estimated", "evaluated", "lowered"], "report.html")
"""

from spikeport.report.gather import Subject, gather
from spikeport.report.page import render, write_report

__all__ = ["Subject", "gather", "render", "write_report"]

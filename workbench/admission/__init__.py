"""The one gate: who may generate now, who waits, and who is told to come back later."""

from __future__ import annotations

from workbench.admission.gate import BUSY, Gate, GateLoad, QueuePosition, Ticket
from workbench.admission.places import Rules

__all__ = ["BUSY", "Gate", "GateLoad", "QueuePosition", "Rules", "Ticket"]

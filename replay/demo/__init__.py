"""The whole road in one go: a day of the street from native bytes to quarter hours, archived, replayed, compared."""

from replay.demo.figures import Figures, Flow, Limit, Span, figures_of
from replay.demo.road import AnotherStreet, Demo, Ran, Step, Watcher, run

__all__ = ["AnotherStreet", "Demo", "Figures", "Flow", "Limit", "Ran", "Span", "Step", "Watcher", "figures_of", "run"]

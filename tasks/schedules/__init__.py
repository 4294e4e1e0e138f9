"""When something is due: expressions, intervals, phrases, and what becomes of each instant. No rows, no clock of its own."""

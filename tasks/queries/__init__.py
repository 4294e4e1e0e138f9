"""Reads of what is planned and due. The actor comes first; what they may not see is NotFound."""

"""Questions that agents put to people: asked once, answered once, by a button, a form or typed words."""

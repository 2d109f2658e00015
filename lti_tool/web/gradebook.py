"""Being written."""

from .guard import May, page

@page("/gradebook", may=May.ASSESS)
def gradebook(): return "being written"

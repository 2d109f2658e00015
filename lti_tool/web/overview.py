"""Being written."""

from .guard import May, page

@page("/overview", may=May.ASSESS)
def overview(): return "being written"

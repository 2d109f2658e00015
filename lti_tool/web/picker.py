"""Being written."""

from .guard import May, page

@page("/picker", may=May.TEACH)
def picker(): return "being written"

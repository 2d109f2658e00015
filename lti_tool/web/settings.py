"""Being written."""

from .guard import May, page

@page("/settings", may=May.TEACH)
def gradebook_settings(): return "being written"

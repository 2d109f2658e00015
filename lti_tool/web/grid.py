"""Being written."""

from .guard import May, page

@page("/activities/<int:activity_id>/grid", may=May.ASSESS, methods=("GET","POST"))
def grid(activity_id): return "being written"

"""Pages: parse, call, render. One guard says who may see what."""

"""One form of result for everything that judges a lab, and the store of runs that keeps them."""

"""Pages of ``docs/`` that are generated from data; a test fails when one is stale."""

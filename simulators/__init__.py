"""Programs that run on lab hosts: what a hospital's systems do, and what an attacker tries."""

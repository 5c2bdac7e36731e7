"""The register of assets, what is installed on each, and which known weaknesses that has."""
